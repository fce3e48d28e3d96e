// The workflows of an environment: what starts each, and who serves it.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { WorkflowDetails } from "../../../shared/workflows.ts";
import { workflows } from "../api/queries.ts";
import { usePlace } from "../shell/place.ts";
import { Problem } from "../ui/controls.tsx";
import { Badge, Empty, Loading, PageTitle, When } from "../ui/show.tsx";

interface Trigger {
  readonly type?: string;
  readonly service?: string;
  readonly name?: string;
  readonly source?: { readonly cron?: string; readonly rateOf?: Readonly<Record<string, number>> };
}

/** A trigger in a few words. */
export function triggerText(trigger: unknown): string {
  const { type, service, name, source } = (trigger ?? {}) as Trigger;
  if (type === "SCHEDULE") {
    if (source?.cron) return `cron ${source.cron}`;
    const [[unit, amount] = ["", 0]] = Object.entries(source?.rateOf ?? {});
    return `every ${amount} ${unit}`;
  }
  if (type === "WEBHOOK") return `webhook ${service}: ${name}`;
  return type ? `event ${name}` : "not registered";
}

export function Workflows() {
  const place = usePlace();
  const { data, error } = useQuery(workflows(place));
  return (
    <>
      <PageTitle title="Workflows">Registered by your processes with this environment's key.</PageTitle>
      <Problem error={error} />
      {!data && !error && <Loading />}
      {data?.data.length === 0 && (
        <Empty title="No workflow is registered here yet.">
          Run a process that listens with this environment's key; it shows up here at once.
        </Empty>
      )}
      <ul className="flex flex-col gap-2">
        {data?.data.map((each) => (
          <Row key={each.slug} workflow={each} />
        ))}
      </ul>
    </>
  );
}

function Row({ workflow }: { workflow: WorkflowDetails }) {
  const place = usePlace();
  const { slug, name, trigger, hosts, paused, refused, changedAt, version } = workflow;
  const serving = hosts.filter(({ standing }) => standing === "serving").length;
  return (
    <li>
      <Link
        to="/orgs/$org/$env/workflows/$workflow"
        params={{ ...place, workflow: slug }}
        className="grid grid-cols-1 items-center gap-x-4 gap-y-1 rounded-lg border border-line bg-panel p-3 no-underline hover:border-accent sm:grid-cols-[1fr_auto]"
      >
        <span className="min-w-0">
          <span className="data block truncate font-semibold">{name}</span>
          <span className="data block truncate text-soft">
            {slug} · {triggerText(trigger)}
          </span>
        </span>
        <span className="flex flex-wrap items-center gap-2 text-xs">
          {paused && <Badge tone="wait">Paused</Badge>}
          {refused && <Badge tone="bad">Refused</Badge>}
          <Badge tone={serving > 0 ? "good" : "none"}>
            {serving === 0 ? "no host" : serving === 1 ? "1 host" : `${serving} hosts`}
          </Badge>
          {version !== null && (
            <span className="text-soft">
              version {version}, <When time={changedAt} />
            </span>
          )}
        </span>
      </Link>
    </li>
  );
}
