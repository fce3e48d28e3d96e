// The overview of an environment: hosts and workflows, the last hour in numbers, and everything that needs attention.
// Before the first run, the steps to get there.
import { useQueries, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { Activity, Attention } from "../../../shared/api/activity.ts";
import { activity, deliveriesPage, sources } from "../api/queries.ts";
import { useHints } from "../live.ts";
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
  // The steps to the first run stay until a person has seen its end; the numbers are some seconds behind.
  const here = `${place.org}/${place.env}`;
  const [way, setWay] = useState({ here: "", done: false });
  const isNew = data?.hasRuns === false && way.here !== here;
  useEffect(() => {
    if (isNew) setWay({ here, done: false });
  }, [isNew, here]);
  const onTheWay = isNew || (way.here === here && !way.done);
  return (
    <>
      <PageTitle title="Overview">Last 60 minutes</PageTitle>
      <Problem error={error} />
      {!data && !error && <Loading />}
      {data && onTheWay && <FirstRun activity={data} onDone={() => setWay({ here, done: true })} />}
      {data && <Numbers activity={data} />}
    </>
  );
}

/**
 * The router's numbers are some seconds old. They are fetched again once those seconds have passed after a change, and
 * once more after another change meanwhile, which the answer may not include.
 */
const NUMBERS_KEPT_MS = 2_500;
function useSettledActivity(): void {
  const { org, env } = usePlace();
  const client = useQueryClient();
  const renew = useRef(() => {});
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | null = null;
    let again = false;
    renew.current = () => {
      again = timer !== null;
      timer ??= setTimeout(() => {
        timer = null;
        void client.invalidateQueries(activity({ org, env }));
        if (again) renew.current();
      }, NUMBERS_KEPT_MS);
    };
    return () => clearTimeout(timer ?? undefined);
  }, [client, org, env]);
  useHints(useCallback(() => renew.current(), []));
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
        <Figure name="Failed runs" value={sum(({ failures }) => failures).toLocaleString()} />
        <Figure name="Highest p95" value={slowest === 0 ? "—" : formatDuration(slowest)} />
      </dl>
      <NeedsAttention attention={shown.attention} />
      <Suspense fallback={<Loading />}>
        <div className="grid gap-4 lg:grid-cols-2">
          <Chart title="Per minute" times={times} series={counts} />
          <Chart title="Run duration (ms)" times={times} series={durations} unit=" ms" />
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

function attentionText({ kind, runs, message }: Attention): string {
  if (message) return message;
  const count = (adjective: string) => `${runs.toLocaleString()} ${adjective} ${runs === 1 ? "run" : "runs"}`;
  switch (kind) {
    case "no host":
      return `${count("queued")}, no host connected`;
    case "failing":
      return `${count("failed")} in the last hour`;
    case "refused":
      return "The last registration was refused";
  }
}

const PARKED_ASKED_EVERY_MS = 60_000;
const SOURCES_ASKED = 20;

/** Sources with deliveries that could not be handed to this environment within a day. */
function useParked(): { id: string; service: string; count: string }[] {
  const { org, env } = usePlace();
  const { data } = useQuery({ ...sources(org), staleTime: PARKED_ASKED_EVERY_MS });
  const asked = (data?.data ?? []).slice(0, SOURCES_ASKED);
  const pages = useQueries({
    queries: asked.map(({ id }) => ({
      queryKey: ["parked", org, id],
      queryFn: () => deliveriesPage(org, id, "parked", null),
      refetchInterval: PARKED_ASKED_EVERY_MS,
    })),
  });
  return asked.flatMap(({ id, service }, index) => {
    const page = pages[index]?.data;
    const here = page?.data.filter(({ environments }) =>
      environments.some(({ environment, state }) => environment === env && state === "parked"),
    );
    if (!here || here.length === 0) return [];
    return [{ id, service, count: page?.next === null ? String(here.length) : `${here.length} or more` }];
  });
}

function NeedsAttention({ attention }: { attention: readonly Attention[] }) {
  const place = usePlace();
  const parked = useParked();
  if (attention.length === 0 && parked.length === 0) return <Empty title="Nothing needs your attention" />;
  return (
    <Panel title="Needs attention">
      <ul className="flex flex-col gap-2">
        {parked.map(({ id, service, count }) => (
          <li key={id} className="flex flex-wrap items-baseline gap-2">
            <Badge tone="bad">parked</Badge>
            <Link
              to="/orgs/$org/$env/sources/$source"
              params={{ ...place, source: id }}
              className="data font-medium underline"
            >
              {service}
            </Link>
            <span className="text-soft">
              {count} {count === "1" ? "delivery" : "deliveries"} not handed over within a day
            </span>
          </li>
        ))}
        {attention.map((each) => (
          <li key={each.kind + each.workflow} className="flex flex-wrap items-baseline gap-2">
            <Badge tone={each.kind === "no host" ? "wait" : "bad"}>{each.kind}</Badge>
            <Link
              to="/orgs/$org/$env/workflows/$workflow"
              params={{ ...place, workflow: each.workflow }}
              className="data font-medium underline"
            >
              {each.workflow}
            </Link>
            <span className="data text-soft">{attentionText(each)}</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
