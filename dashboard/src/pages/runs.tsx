// The runs of an environment, the newest first. Pages are fetched as one scrolls, rows are drawn only where one looks, and
// what is new is put on top without moving what is read.
import { type InfiniteData, useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { type FormEvent, useCallback, useEffect, useRef, useState } from "react";
import type { RunStatus, RunSummary, RunsPage } from "../../../shared/runs.ts";
import { type RunFilters, runs, runsKey, runsPage, workflows } from "../api/queries.ts";
import { useHints } from "../live.ts";
import { usePlace } from "../shell/place.ts";
import { Button, Choose, Field, Problem } from "../ui/controls.tsx";
import { Badge, Duration, Empty, Loading, PageTitle, Status, statusLabel, When } from "../ui/show.tsx";

const STATUSES: readonly RunStatus[] = [
  "PENDING",
  "RUNNING",
  "DISCONNECTED",
  "SUCCESS",
  "ERROR",
  "TIMED_OUT",
  "CANCELED",
];
const ROW_PX = 60;

export function Runs() {
  const place = usePlace();
  const search = useSearch({ from: "/orgs/$org/$env/runs" });
  const filters: RunFilters = {
    status: STATUSES.find((status) => status === search.status),
    workflow: search.workflow,
  };
  return (
    <>
      <PageTitle title="Runs" />
      <Filters filters={filters} />
      <List key={JSON.stringify([place, filters])} filters={filters} />
    </>
  );
}

function Filters({ filters }: { filters: RunFilters }) {
  const place = usePlace();
  const navigate = useNavigate();
  const { data } = useQuery(workflows(place));
  const [id, setId] = useState("");
  const choose = (change: RunFilters) => {
    const { status, workflow } = { ...filters, ...change };
    void navigate({
      to: "/orgs/$org/$env/runs",
      params: place,
      search: { ...(status && { status }), ...(workflow && { workflow }) },
    });
  };
  const open = (form: FormEvent) => {
    form.preventDefault();
    if (id.trim() !== "") void navigate({ to: "/orgs/$org/$env/runs/$run", params: { ...place, run: id.trim() } });
  };
  return (
    <div className="mb-3 flex flex-wrap items-end gap-3">
      <Choose
        label="Status"
        value={filters.status ?? "all"}
        choices={[
          { id: "all", label: "Every status" },
          ...STATUSES.map((status) => ({ id: status, label: statusLabel(status) })),
        ]}
        onChange={(status) => choose({ status: STATUSES.find((each) => each === status) })}
      />
      <Choose
        label="Workflow"
        value={filters.workflow ?? "all"}
        choices={[
          { id: "all", label: "Every workflow" },
          ...(data?.data ?? []).map(({ slug, name }) => ({ id: slug, label: name })),
        ]}
        onChange={(workflow) => choose({ workflow: workflow === "all" ? undefined : workflow })}
      />
      <form onSubmit={open} className="flex items-end gap-2">
        <Field label="Run id" value={id} onChange={setId} placeholder="run_…" />
        <Button type="submit">Open</Button>
      </form>
    </div>
  );
}

function List({ filters }: { filters: RunFilters }) {
  const place = usePlace();
  const client = useQueryClient();
  const { data, error, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(runs(place, filters));
  const shown = data?.pages.flatMap((page) => page.data) ?? [];

  const asking = useRef(false);
  const { org, env } = place;
  const { status, workflow } = filters;
  const renew = useCallback(async () => {
    // One question at a time; what changes meanwhile is told again.
    if (asking.current) return;
    asking.current = true;
    try {
      const fresh = await runsPage({ org, env }, { status, workflow }, null);
      client.setQueryData<InfiniteData<RunsPage, string | null>>(
        runsKey({ org, env }, { status, workflow }),
        (before) => (before ? mergeNewest(before, fresh) : before),
      );
    } catch {
      // The list shows what it has; the next hint asks again.
    } finally {
      asking.current = false;
    }
  }, [client, org, env, status, workflow]);
  useHints(renew);

  const list = useRef<HTMLUListElement>(null);
  const virtual = useWindowVirtualizer({
    count: shown.length,
    estimateSize: () => ROW_PX,
    overscan: 10,
    scrollMargin: list.current?.offsetTop ?? 0,
    getItemKey: (index) => shown[index]?.id ?? index,
  });
  const rows = virtual.getVirtualItems();
  const last = rows.at(-1)?.index ?? 0;
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage && last >= shown.length - 15) void fetchNextPage();
  }, [last, shown.length, hasNextPage, isFetchingNextPage, fetchNextPage]);

  if (error) return <Problem error={error} />;
  if (!data) return <Loading />;
  if (shown.length === 0 && !hasNextPage) return <Empty title="No runs here that fit." />;
  return (
    <>
      <ul ref={list} aria-label="Runs" className="relative" style={{ height: virtual.getTotalSize() }}>
        {rows.map(({ index, key, start }) => {
          const run = shown[index];
          return run ? (
            <li
              key={key}
              className="absolute inset-x-0 pb-1.5"
              style={{ height: ROW_PX, transform: `translateY(${start - virtual.options.scrollMargin}px)` }}
            >
              <Row run={run} />
            </li>
          ) : null;
        })}
      </ul>
      {isFetchingNextPage && <Loading />}
    </>
  );
}

function Row({ run }: { run: RunSummary }) {
  const place = usePlace();
  return (
    <Link
      to="/orgs/$org/$env/runs/$run"
      params={{ ...place, run: run.id }}
      className="grid h-full grid-cols-[6.5rem_1fr_auto] items-center gap-3 overflow-hidden rounded-md border border-line bg-panel px-3 no-underline hover:border-accent"
    >
      <span>
        <Status status={run.status} />
      </span>
      <span className="min-w-0">
        <span className="data block truncate font-medium">
          {run.workflow.name} {run.isTest && <Badge>test</Badge>}
        </span>
        <span className="data block truncate text-xs text-soft">
          {run.event.name} · {run.error?.message ?? run.id}
        </span>
      </span>
      <span className="text-right text-xs text-soft">
        <When time={run.createdAt} />
        <span className="block">
          <Duration from={run.startedAt} until={run.finishedAt} />
        </span>
      </span>
    </Link>
  );
}

/** Puts what is new on top and what has changed in its place. When nothing is known of what was fetched, all begins anew. */
function mergeNewest(
  before: InfiniteData<RunsPage, string | null>,
  fresh: RunsPage,
): InfiniteData<RunsPage, string | null> {
  const byId = new Map(fresh.data.map((run) => [run.id, run]));
  const known = new Set(before.pages.flatMap(({ data }) => data.map(({ id }) => id)));
  const added = fresh.data.filter(({ id }) => !known.has(id));
  if (known.size > 0 && fresh.data.length > 0 && added.length === fresh.data.length) {
    return { pages: [fresh], pageParams: [null] };
  }
  const [first, ...rest] = before.pages.map((page) => ({
    ...page,
    data: page.data.map((run) => byId.get(run.id) ?? run),
  }));
  return { ...before, pages: [{ data: [...added, ...(first?.data ?? [])], next: first?.next ?? null }, ...rest] };
}
