// The runs of an environment, newest first. Scrolling fetches further pages, only visible rows are drawn, and new runs
// are added on top without moving the visible ones.
import { type InfiniteData, useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { type FormEvent, useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { RunFilters } from "../../../shared/api/run-pages.ts";
import type { RunSummary, RunsPage } from "../../../shared/api/runs.ts";
import { runs, runsKey, runsPage, workflows } from "../api/queries.ts";
import { useHints } from "../live.ts";
import { usePlace } from "../shell/place.ts";
import { Button, Choose, Field, Problem } from "../ui/controls.tsx";
import { Badge, Duration, Empty, Loading, PageTitle, Status, statusLabel, When } from "../ui/show.tsx";
import { filtersOf, type RunsSearch, SPANS, STATUSES } from "./runs-search.ts";

const ROW_PX = 60;

export function Runs() {
  const place = usePlace();
  const search = useSearch({ from: "/orgs/$org/$env/runs" });
  const key = JSON.stringify([place, search]);
  // A span ends at the moment of its choice: its beginning does not move under the list.
  const filters = useMemo(() => filtersOf(search, Date.now()), [search]);
  return (
    <>
      <PageTitle title="Runs" />
      <Filters search={search} />
      <List key={key} filters={filters} />
    </>
  );
}

const ALL = "all";

function Filters({ search }: { search: RunsSearch }) {
  const place = usePlace();
  const navigate = useNavigate();
  const { data } = useQuery(workflows(place));
  const [text, setText] = useState(search.text ?? "");
  const choose = (change: Partial<Record<keyof RunsSearch, string>>) => {
    const chosen = Object.entries({ ...search, ...change }).filter(([, value]) => value !== "" && value !== ALL);
    void navigate({ to: "/orgs/$org/$env/runs", params: place, search: Object.fromEntries(chosen) });
  };
  const times = Object.entries(SPANS).map(([id, { label }]) => ({ id, label }));
  const find = (form: FormEvent) => {
    form.preventDefault();
    choose({ text: text.trim() });
  };
  return (
    <search aria-label="Runs" className="mb-3 flex flex-wrap items-end gap-3">
      <Choose
        label="Status"
        value={search.status ?? ALL}
        choices={[
          { id: ALL, label: "All statuses" },
          ...STATUSES.map((status) => ({ id: status, label: statusLabel(status) })),
        ]}
        onChange={(status) => choose({ status })}
      />
      <Choose
        label="Workflow"
        value={search.workflow ?? ALL}
        choices={[
          { id: ALL, label: "All workflows" },
          ...(data?.data ?? []).map(({ slug, name }) => ({ id: slug, label: name })),
        ]}
        onChange={(workflow) => choose({ workflow })}
      />
      <Choose
        label="Time"
        value={search.time ?? ALL}
        choices={[{ id: ALL, label: "Any time" }, ...times, { id: "between", label: "Custom range" }]}
        onChange={(time) => choose({ time, from: "", until: "" })}
      />
      {search.time === "between" && (
        <>
          <Field label="From" type="datetime-local" value={search.from ?? ""} onChange={(from) => choose({ from })} />
          <Field
            label="Until"
            type="datetime-local"
            value={search.until ?? ""}
            onChange={(until) => choose({ until })}
          />
        </>
      )}
      <Choose
        label="Tests"
        value={search.test ?? ALL}
        choices={[
          { id: ALL, label: "Include tests" },
          { id: "without", label: "Exclude tests" },
          { id: "only", label: "Tests only" },
        ]}
        onChange={(test) => choose({ test })}
      />
      <form onSubmit={find} className="flex items-end gap-2">
        <Field label="Search" value={text} onChange={setText} placeholder="run id, event or error" />
        <Button type="submit">Search</Button>
      </form>
      {Object.keys(search).length > 0 && (
        <Button
          look="quiet"
          onPress={() => {
            setText("");
            void navigate({ to: "/orgs/$org/$env/runs", params: place, search: {} });
          }}
        >
          Clear filters
        </Button>
      )}
    </search>
  );
}

function List({ filters }: { filters: RunFilters }) {
  const place = usePlace();
  const client = useQueryClient();
  const { data, error, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(runs(place, filters));
  const shown = data?.pages.flatMap((page) => page.data) ?? [];

  const { org, env } = place;
  const renew = useCallback(async () => {
    const fresh = await runsPage({ org, env }, filters, null);
    client.setQueryData<InfiniteData<RunsPage, string | null>>(runsKey({ org, env }, filters), (before) =>
      before ? mergeNewest(before, fresh) : before,
    );
  }, [client, org, env, filters]);
  useHints(useOneAtATime(renew));

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
  // A page without rows has scanned as many runs as it may. A person decides whether to search further.
  const foundNone = data?.pages.at(-1)?.data.length === 0;
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage && !foundNone && last >= shown.length - 15) void fetchNextPage();
  }, [last, shown.length, hasNextPage, isFetchingNextPage, foundNone, fetchNextPage]);

  if (error) return <Problem error={error} />;
  if (!data) return <Loading />;
  if (shown.length === 0 && !hasNextPage) return <Empty title="No runs match these filters" />;
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
      {foundNone && hasNextPage && !isFetchingNextPage && (
        <p className="flex flex-wrap items-center gap-3 py-2 text-soft">
          {shown.length === 0 ? "No match among the newest runs." : "No match among the runs before."}
          <Button onPress={() => void fetchNextPage()}>Search older runs</Button>
        </p>
      )}
    </>
  );
}

function Row({ run }: { run: RunSummary }) {
  const place = usePlace();
  return (
    <Link
      to="/orgs/$org/$env/runs/$run"
      params={{ ...place, run: run.id }}
      className="grid h-full grid-cols-[5.75rem_1fr_auto] items-center gap-2 sm:gap-3 overflow-hidden rounded-md border border-line bg-panel px-3 no-underline hover:border-accent"
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

/** After a slow query, the next one waits this many times as long: a filter may have to scan many runs. */
const SLOW_MS = 200;
const REST = 9;

/**
 * Makes one call at a time. Hints during a call cause one more call afterwards, so that the last change is included.
 */
function useOneAtATime(call: () => Promise<void>): () => void {
  const state = useRef<"idle" | "busy" | "again">("idle");
  return useCallback(() => {
    if (state.current !== "idle") {
      state.current = "again";
      return;
    }
    const next = async () => {
      state.current = "busy";
      const started = performance.now();
      // The list keeps its rows; the next hint tries again.
      await call().catch(() => {});
      const took = performance.now() - started;
      setTimeout(
        () => {
          if (state.current === "again") void next();
          else state.current = "idle";
        },
        took > SLOW_MS ? took * REST : 0,
      );
    };
    void next();
  }, [call]);
}

/** Puts new runs on top and updates changed ones in place. If no fetched run is known, the list starts anew. */
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
