// One workflow: its trigger, its hosts, its differences between environments; pause, resume, deregister.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import type { WorkflowDetails } from "../../../shared/api/workflows.ts";
import { ask, path } from "../api/client.ts";
import { environmentKey, runsPage, workflows } from "../api/queries.ts";
import { lookOf } from "../shell/environments.ts";
import { useMay, usePlace } from "../shell/place.ts";
import { Button, Confirm, Problem } from "../ui/controls.tsx";
import { formatJson } from "../ui/format.ts";
import { Badge, Empty, Facts, Json, Loading, PageTitle, Panel, Status, When } from "../ui/show.tsx";
import { triggerText, useElsewhere } from "./workflows.tsx";

export function Workflow() {
  const place = usePlace();
  const { workflow: slug } = useParams({ from: "/orgs/$org/$env/workflows/$workflow" });
  const { data, error } = useQuery(workflows(place));
  const found = data?.data.find((each) => each.slug === slug);
  if (error) return <Problem error={error} />;
  if (!data) return <Loading />;
  if (!found) {
    return (
      <Empty title={`Workflow not found in ${lookOf(place.env).label}`}>
        It may be registered in another environment. Switch the environment at the top.
      </Empty>
    );
  }
  return <Details workflow={found} />;
}

function Details({ workflow }: { workflow: WorkflowDetails }) {
  const place = usePlace();
  const mayTest = useMay("member");
  const { slug, name, trigger, triggerTTL, hosts, paused, refused, registeredAt, changedAt, version } = workflow;
  return (
    <>
      <PageTitle title={name} actions={<Actions workflow={workflow} />}>
        <span className="data">{slug}</span> · {triggerText(trigger)} {paused && <Badge tone="wait">Paused</Badge>}
      </PageTitle>
      <div className="flex flex-col gap-4">
        {refused && (
          <Panel title="The last registration was refused">
            <p className="data">{refused.message}</p>
            <p className="mt-1 text-soft">
              <When time={refused.at} />. The client does not report this.
            </p>
          </Panel>
        )}
        <Panel title="Registration">
          <Facts
            facts={[
              ["Version", version ?? "none"],
              ["Registered", <When key="r" time={registeredAt} />],
              ["Changed", <When key="c" time={changedAt} />],
              ["Time to live", triggerTTL === null ? "1 hour" : `${triggerTTL} s`],
            ]}
          />
        </Panel>
        <Panel title="Hosts">
          {hosts.length === 0 && <p className="text-soft">No host connected. New runs wait.</p>}
          <ul className="flex flex-col gap-2">
            {hosts.map((host) => (
              <li key={host.connectedAt + host.keyId} className="flex flex-wrap items-center gap-2">
                <Badge tone={host.standing === "serving" ? "good" : "wait"}>{host.standing}</Badge>
                <span>
                  connected <When time={host.connectedAt} />
                </span>
                <span className="text-soft">{host.running} running</span>
                {host.differs.length > 0 && (
                  <span className="data text-soft">older definition: {host.differs.join(", ")}</span>
                )}
              </li>
            ))}
          </ul>
        </Panel>
        <LatestRuns slug={slug} />
        <Differences workflow={workflow} />
        <Panel>
          <Json label="Trigger" value={trigger} />
        </Panel>
        {mayTest && (
          <Link to="/orgs/$org/$env/test" params={place} search={{ workflow: slug }} className="self-start underline">
            Test this workflow
          </Link>
        )}
      </div>
    </>
  );
}

function Actions({ workflow: { slug, paused, hosts, version } }: { workflow: WorkflowDetails }) {
  const place = usePlace();
  const client = useQueryClient();
  const navigate = useNavigate();
  const may = useMay("member");
  const [error, setError] = useState<unknown>(null);
  const [asking, setAsking] = useState(false);
  const address = path("/organizations/{}/environments/{}/workflows/{}", place.org, place.env, slug);
  const renew = () => client.invalidateQueries({ queryKey: environmentKey(place) });
  if (!may || version === null) return null;
  return (
    <>
      <Problem error={error} />
      <Button onPress={() => ask("POST", `${address}/${paused ? "resume" : "pause"}`).then(renew, setError)}>
        {paused ? "Resume" : "Pause"}
      </Button>
      <Button look="danger" isDisabled={hosts.length > 0} onPress={() => setAsking(true)}>
        Deregister
      </Button>
      {asking && (
        <Confirm
          title={`Deregister ${slug}?`}
          action="Deregister"
          onClose={() => setAsking(false)}
          onConfirm={async () => {
            await ask("DELETE", address);
            await renew();
            await navigate({ to: "/orgs/$org/$env/workflows", params: place });
          }}
        >
          The workflow starts no runs until a host registers it again. Waiting runs are canceled; past runs stay.
        </Confirm>
      )}
    </>
  );
}

function LatestRuns({ slug }: { slug: string }) {
  const place = usePlace();
  const { data } = useQuery({
    queryKey: [...environmentKey(place), "latest-runs", slug],
    queryFn: () => runsPage(place, { workflow: slug }, null, 5),
  });
  return (
    <Panel
      title="Latest runs"
      actions={
        <Link to="/orgs/$org/$env/runs" params={place} search={{ workflow: slug }} className="underline">
          View all runs
        </Link>
      }
    >
      {data?.data.length === 0 && <p className="text-soft">No runs yet</p>}
      <ul className="flex flex-col gap-1.5">
        {data?.data.map((run) => (
          <li key={run.id} className="flex flex-wrap items-center gap-2">
            <Status status={run.status} />
            <Link
              to="/orgs/$org/$env/runs/$run"
              params={{ ...place, run: run.id }}
              className="font-mono text-xs underline"
            >
              {run.id}
            </Link>
            <span className="text-soft">
              <When time={run.createdAt} />
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

/** Environments with another registration under the same name. */
function Differences({ workflow }: { workflow: WorkflowDetails }) {
  const place = usePlace();
  const elsewhere = useElsewhere(workflow.slug);
  return (
    <Panel title="Other environments">
      <ul className="flex flex-col gap-4">
        {elsewhere.map(({ env, workflow: other }) => {
          const look = lookOf(env);
          const parts = other ? differences(workflow, other) : [];
          return (
            <li key={env} className="flex flex-col gap-2">
              <p className="flex flex-wrap items-center gap-2">
                <span className={`rounded px-1.5 text-xs font-semibold ${look.pill}`}>{look.label}</span>
                {!other && <span className="text-soft">not registered</span>}
                {other && parts.length === 0 && <span>identical</span>}
                {other && parts.length > 0 && <span>differs in {parts.map(({ name }) => name).join(", ")}</span>}
                {other && (
                  <span className="text-soft">
                    {other.hosts.length === 1 ? "1 host" : `${other.hosts.length} hosts`}
                  </span>
                )}
              </p>
              {parts.map(({ name, here, there }) => (
                <div key={name} className="grid gap-2 md:grid-cols-2">
                  <Side title={`${name} in ${place.env}`} text={here} />
                  <Side title={`${name} in ${env}`} text={there} />
                </div>
              ))}
            </li>
          );
        })}
      </ul>
    </Panel>
  );
}

function Side({ title, text }: { title: string; text: string }) {
  return (
    <div className="min-w-0">
      <p className="text-xs text-soft">{title}</p>
      <pre
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard must reach it to scroll.
        tabIndex={0}
        className="overflow-auto rounded-md border border-line bg-page p-2 font-mono text-xs"
      >
        {text}
      </pre>
    </div>
  );
}

function differences(one: WorkflowDetails, other: WorkflowDetails) {
  const parts = ({ name, triggerTTL, trigger }: WorkflowDetails): Record<string, unknown> => ({
    name,
    triggerTTL,
    ...((trigger ?? {}) as object),
  });
  const [a, b] = [parts(one), parts(other)];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])]
    .map((name) => ({ name, here: formatJson(a[name] ?? null), there: formatJson(b[name] ?? null) }))
    .filter(({ here, there }) => here !== there);
}
