// One run: its timeline, input, logs, and output or error; cancel, run again, copy to a test.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import type { Run, Task } from "../../../shared/api/runs.ts";
import { ask, path } from "../api/client.ts";
import { environmentKey, run as runQuery } from "../api/queries.ts";
import { useMay, usePlace } from "../shell/place.ts";
import { Button, Choose, Problem } from "../ui/controls.tsx";
import { formatJson } from "../ui/format.ts";
import { Badge, Duration, Facts, Json, Loading, PageTitle, Panel, Status, type Tone, When } from "../ui/show.tsx";
import { Timeline } from "./run-timeline.tsx";

const LEVELS: readonly string[] = ["DEBUG", "INFO", "WARN", "ERROR"];

export function RunPage() {
  const place = usePlace();
  const { run: id } = useParams({ from: "/orgs/$org/$env/runs/$run" });
  const { data: run, error } = useQuery(runQuery(place, id));
  if (error) return <Problem error={error} />;
  if (!run) return <Loading />;
  return (
    <>
      <PageTitle title={run.workflow.name} actions={<Actions run={run} />}>
        <Status status={run.status} /> {run.isTest && <Badge>test</Badge>} <code className="text-xs">{run.id}</code>
      </PageTitle>
      <div className="flex flex-col gap-4">
        {run.error && <Failure error={run.error} />}
        <Panel title="Run">
          <Facts facts={factsOf(run, place)} />
        </Panel>
        <Timeline run={run} />
        <Logs tasks={run.tasks} />
        {run.output !== undefined && (
          <Panel>
            <Json label="Output" value={run.output} />
          </Panel>
        )}
        <Panel>
          <Json label="Event payload" value={run.event.payload} />
        </Panel>
        {run.event.context !== undefined && (
          <Panel>
            <Json label="Event context" value={run.event.context} />
          </Panel>
        )}
      </div>
    </>
  );
}

function factsOf(run: Run, place: { org: string; env: string }): [string, React.ReactNode][] {
  const facts: [string, React.ReactNode][] = [
    [
      "Workflow",
      <Link
        key="w"
        to="/orgs/$org/$env/workflows/$workflow"
        params={{ ...place, workflow: run.workflow.slug }}
        className="underline"
      >
        {run.workflow.slug}
      </Link>,
    ],
    [
      "Event",
      <Link key="e" to="/orgs/$org/$env/events/$event" params={{ ...place, event: run.event.id }} className="underline">
        {run.event.name}
      </Link>,
    ],
    ["Created", <When key="m" time={run.createdAt} />],
    ["Started", <When key="s" time={run.startedAt} />],
    ["Duration", <Duration key="d" from={run.startedAt} until={run.finishedAt} />],
    ["Attempts", run.attempts],
  ];
  if (run.timedOutReason) facts.push(["Timed out", run.timedOutReason]);
  if (run.rerunOf) {
    facts.push([
      "Rerun of",
      <Link
        key="r"
        to="/orgs/$org/$env/runs/$run"
        params={{ ...place, run: run.rerunOf }}
        className="font-mono text-xs underline"
      >
        {run.rerunOf}
      </Link>,
    ]);
  }
  return facts;
}

function Failure({ error }: { error: NonNullable<Run["error"]> }) {
  return (
    <section
      aria-label="Error"
      className="rounded-lg border border-red-700/50 bg-red-50 p-4 text-red-950 dark:bg-red-950/40 dark:text-red-100"
    >
      <h2 className="data font-semibold break-words">
        {error.name}: {error.message}
      </h2>
      {error.stackTrace && (
        <pre
          // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard must reach it to scroll.
          tabIndex={0}
          className="mt-2 max-h-80 overflow-auto font-mono text-xs whitespace-pre-wrap"
        >
          {error.stackTrace}
        </pre>
      )}
    </section>
  );
}

function Actions({ run }: { run: Run }) {
  const place = usePlace();
  const client = useQueryClient();
  const navigate = useNavigate();
  const may = useMay("member");
  const [error, setError] = useState<unknown>(null);
  if (!may) return null;
  const address = path("/organizations/{}/environments/{}/runs/{}", place.org, place.env, run.id);
  return (
    <>
      <Problem error={error} />
      {!run.finishedAt && (
        <Button
          look="danger"
          onPress={() =>
            ask("POST", `${address}/cancel`).then(
              () => client.invalidateQueries({ queryKey: environmentKey(place) }),
              setError,
            )
          }
        >
          Cancel
        </Button>
      )}
      <Button
        onPress={() =>
          ask<Run>("POST", `${address}/rerun`).then(
            ({ id }) => navigate({ to: "/orgs/$org/$env/runs/$run", params: { ...place, run: id } }),
            setError,
          )
        }
      >
        Run again
      </Button>
      <Button
        onPress={() =>
          void navigate({
            to: "/orgs/$org/$env/test",
            params: place,
            search: { workflow: run.workflow.slug, run: run.id },
          })
        }
      >
        Copy to test
      </Button>
    </>
  );
}

const LEVEL_TONES: Record<string, Tone> = { DEBUG: "none", INFO: "busy", WARN: "wait", ERROR: "bad" };

function Logs({ tasks }: { tasks: readonly Task[] }) {
  const [least, setLeast] = useState<string>("DEBUG");
  const all = tasks.filter(({ type }) => type === "LOG_MESSAGE");
  const rank = (level: unknown) => LEVELS.indexOf(String(level));
  const shown = all.filter(({ level }) => rank(level) >= rank(least));
  return (
    <Panel
      title="Logs"
      actions={
        <Choose
          label="Minimum log level"
          hidden
          value={least}
          choices={LEVELS.map((level) => ({ id: level, label: `${level.toLowerCase()} and above` }))}
          onChange={setLeast}
        />
      }
    >
      {shown.length === 0 && <p className="text-soft">{all.length === 0 ? "No logs" : "No logs at this level"}</p>}
      <ol className="flex flex-col gap-1">
        {shown.map(({ key, createdAt, level, message, properties }, index) => (
          <li key={`${index} ${key}`} className="flex flex-wrap items-baseline gap-2">
            <Badge tone={LEVEL_TONES[String(level)] ?? "none"}>{String(level)}</Badge>
            <span className="data min-w-0 flex-1 font-mono text-xs break-words whitespace-pre-wrap">
              {String(message)}
            </span>
            <span className="text-xs text-soft">
              <When time={createdAt} />
            </span>
            {hasMembers(properties) && (
              <pre className="data w-full overflow-x-auto pl-4 font-mono text-xs whitespace-pre-wrap text-soft">
                {formatJson(properties)}
              </pre>
            )}
          </li>
        ))}
      </ol>
    </Panel>
  );
}

/** The client sends an empty object if no properties were given. */
function hasMembers(properties: unknown): boolean {
  return typeof properties === "object" ? Object.keys(properties ?? {}).length > 0 : properties !== undefined;
}
