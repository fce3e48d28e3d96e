// An environment at a glance: who is connected, what went on in the last hour, what needs a look. Before the first run:
// how to get there.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { lazy, Suspense, useCallback, useEffect, useMemo, useRef } from "react";
import type { Activity, Attention } from "../../../shared/activity.ts";
import { activity } from "../api/queries.ts";
import { useHints } from "../live.ts";
import { lookOf } from "../shell/environments.ts";
import { usePlace } from "../shell/place.ts";
import { Problem } from "../ui/controls.tsx";
import { formatDuration } from "../ui/format.ts";
import { Badge, Empty, Loading, PageTitle, Panel } from "../ui/show.tsx";
import { FirstRun } from "./first-run.tsx";

const Chart = lazy(() => import("../ui/chart.tsx").then(({ Chart: component }) => ({ default: component })));

export function Home() {
  const place = usePlace();
  const { data, error } = useQuery(activity(place));
  useSettledActivity();
  const look = lookOf(place.env);
  return (
    <>
      <PageTitle title={`Home of ${look.label}`}>What went on here in the last hour.</PageTitle>
      <Problem error={error} />
      {!data && !error && <Loading />}
      {data && !data.hasRuns && <FirstRun activity={data} />}
      {data && <Numbers activity={data} />}
    </>
  );
}

/** The numbers are some seconds old at the router: once those have passed after a change, they are asked for again. */
const NUMBERS_KEPT_MS = 2_500;
function useSettledActivity(): void {
  const { org, env } = usePlace();
  const client = useQueryClient();
  const waiting = useRef<ReturnType<typeof setTimeout> | null>(null);
  useEffect(() => () => clearTimeout(waiting.current ?? undefined), []);
  const renew = useCallback(() => {
    waiting.current ??= setTimeout(() => {
      waiting.current = null;
      void client.invalidateQueries(activity({ org, env }));
    }, NUMBERS_KEPT_MS);
  }, [client, org, env]);
  useHints(renew);
}

function Numbers({ activity: shown }: { activity: Activity }) {
  const { minutes } = shown;
  const sum = (pick: (minute: (typeof minutes)[number]) => number) =>
    minutes.reduce((all, each) => all + pick(each), 0);
  const times = useMemo(() => minutes.map(({ at }) => Date.parse(at)), [minutes]);
  const counts = useMemo(
    () => [
      { label: "Events", color: "#6366f1", values: minutes.map(({ events }) => events) },
      { label: "Runs", color: "#059669", values: minutes.map(({ runs }) => runs) },
      { label: "Failures", color: "#dc2626", values: minutes.map(({ failures }) => failures) },
    ],
    [minutes],
  );
  const durations = useMemo(
    () => [
      { label: "p50", color: "#0284c7", values: minutes.map(({ p50Ms }) => p50Ms) },
      { label: "p95", color: "#d97706", values: minutes.map(({ p95Ms }) => p95Ms) },
    ],
    [minutes],
  );
  const slowest = Math.max(0, ...minutes.map(({ p95Ms }) => p95Ms ?? 0));
  return (
    <div className="flex flex-col gap-4">
      <dl className="grid grid-cols-2 gap-3 md:grid-cols-5">
        <Figure name="Hosts connected" value={shown.hosts.toLocaleString()} />
        <Figure name="Workflows" value={shown.workflows.toLocaleString()} />
        <Figure name="Runs" value={sum(({ runs }) => runs).toLocaleString()} />
        <Figure name="Failures" value={sum(({ failures }) => failures).toLocaleString()} />
        <Figure name="Slowest p95" value={slowest === 0 ? "—" : formatDuration(slowest)} />
      </dl>
      <NeedsAttention attention={shown.attention} />
      <Suspense fallback={<Loading />}>
        <div className="grid gap-4 lg:grid-cols-2">
          <Chart title="Per minute" times={times} series={counts} />
          <Chart title="Duration of runs, in ms" times={times} series={durations} unit=" ms" />
        </div>
      </Suspense>
    </div>
  );
}

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <div className="rounded-lg border border-line bg-panel p-3">
      <dt className="text-xs text-soft">{name}</dt>
      <dd className="text-2xl font-semibold tabular-nums">{value}</dd>
    </div>
  );
}

const KINDS = {
  "no host": "nobody serves it, and runs wait",
  failing: "runs of the last hour have failed",
  refused: "its last registration was refused",
} as const;

function NeedsAttention({ attention }: { attention: readonly Attention[] }) {
  const place = usePlace();
  if (attention.length === 0) return <Empty title="Nothing needs your attention." />;
  return (
    <Panel title="Needs attention">
      <ul className="flex flex-col gap-2">
        {attention.map(({ kind, workflow, runs, message }) => (
          <li key={kind + workflow} className="flex flex-wrap items-baseline gap-2">
            <Badge tone={kind === "no host" ? "wait" : "bad"}>{kind}</Badge>
            <Link
              to="/orgs/$org/$env/workflows/$workflow"
              params={{ ...place, workflow }}
              className="data font-medium underline"
            >
              {workflow}
            </Link>
            <span className="data text-soft">{message ?? `${KINDS[kind]}: ${runs.toLocaleString()}`}</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
