// The workflows of an environment: the trigger and the hosts of each.
import { useQueries, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { WorkflowDetails } from "../../../shared/api/workflows.ts";
import { environments, workflows } from "../api/queries.ts";
import { lookOf } from "../shell/environments.ts";
import { usePlace } from "../shell/place.ts";
import { Problem } from "../ui/controls.tsx";
import { Badge, Empty, Loading, PageTitle, Status, When } from "../ui/show.tsx";

interface Trigger {
  readonly type?: string;
  readonly service?: string;
  readonly name?: string;
  readonly source?: { readonly cron?: string; readonly rateOf?: Readonly<Record<string, number>> };
}

/** A trigger in short form. */
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

/** The number of hosts that serve a workflow now. */
export function serving({ hosts }: WorkflowDetails): number {
  return hosts.filter(({ standing }) => standing === "serving").length;
}

/** Registrations under this name in the other environments; `workflow` is undefined where there is none. */
export function useElsewhere(slug: string): { env: string; workflow: WorkflowDetails | undefined }[] {
  const { org, env } = usePlace();
  const { data } = useQuery(environments(org));
  const others = (data?.data ?? []).map((each) => each.slug).filter((each) => each !== env);
  const lists = useQueries({
    queries: others.map((each) => ({ ...workflows({ org, env: each }), staleTime: 10_000 })),
  });
  return others.map((each, index) => ({
    env: each,
    workflow: lists[index]?.data?.data.find((found) => found.slug === slug),
  }));
}

export function Workflows() {
  const place = usePlace();
  const { data, error } = useQuery(workflows(place));
  return (
    <>
      <PageTitle title="Workflows">Registered by hosts with this environment's API key</PageTitle>
      <Problem error={error} />
      {!data && !error && <Loading />}
      {data?.data.length === 0 && (
        <Empty title="No workflows registered yet">
          Start a process with this environment's API key. Its workflows appear here at once.
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
  const { slug, name, trigger, paused, refused, lastRun } = workflow;
  const elsewhere = useElsewhere(slug);
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
        <span className="flex flex-col gap-1 text-xs sm:items-end">
          <span className="flex flex-wrap items-center gap-2">
            {paused && <Badge tone="wait">Paused</Badge>}
            {refused && <Badge tone="bad">Refused</Badge>}
            <HostCount env={place.env} count={serving(workflow)} />
            {elsewhere.map(({ env, workflow: other }) => (
              <HostCount key={env} env={env} count={other ? serving(other) : 0} />
            ))}
          </span>
          <span className="text-soft">
            {lastRun ? (
              <>
                last run <Status status={lastRun.status} /> <When time={lastRun.createdAt} />
              </>
            ) : (
              "no recent runs"
            )}
          </span>
        </span>
      </Link>
    </li>
  );
}

function HostCount({ env, count }: { env: string; count: number }) {
  const look = lookOf(env);
  return (
    <span className="flex items-center gap-1">
      <span className={`rounded px-1.5 font-semibold ${look.pill}`}>{look.label}</span>
      <Badge tone={count > 0 ? "good" : "none"}>
        {count === 0 ? "no host" : count === 1 ? "1 host" : `${count} hosts`}
      </Badge>
    </span>
  );
}
