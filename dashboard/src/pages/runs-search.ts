// The filters of the runs list in the page's address, and their form in the API.
import type { RunFilters } from "../../../shared/api/run-pages.ts";
import type { RunStatus } from "../../../shared/api/runs.ts";

// Not RUN_STATUSES of shared/api/runs.ts: in the order of a run's life.
export const STATUSES: readonly RunStatus[] = [
  "PENDING",
  "RUNNING",
  "DISCONNECTED",
  "SUCCESS",
  "ERROR",
  "TIMED_OUT",
  "CANCELED",
];

const MINUTE_MS = 60_000;
/** Spans that end now. */
export const SPANS: Readonly<Record<string, { readonly label: string; readonly ms: number }>> = {
  "15m": { label: "Last 15 minutes", ms: 15 * MINUTE_MS },
  "1h": { label: "Last hour", ms: 60 * MINUTE_MS },
  "24h": { label: "Last 24 hours", ms: 1_440 * MINUTE_MS },
  "7d": { label: "Last 7 days", ms: 7 * 1_440 * MINUTE_MS },
};

/**
 * `time` is a span's name, or `between` with `from` and `until` in local time. `test` is `only` or `without`: true and
 * false would appear in the address with quotation marks.
 */
const NAMES = ["status", "workflow", "time", "from", "until", "test", "text"] as const;
export type RunsSearch = { readonly [name in (typeof NAMES)[number]]?: string };

export function runsSearch(search: Record<string, unknown>): RunsSearch {
  return Object.fromEntries(
    NAMES.flatMap((name) => {
      const value = search[name];
      // The address's parser turns text that looks like a number into one.
      const text = typeof value === "string" || typeof value === "number" ? String(value) : "";
      return text === "" ? [] : [[name, text]];
    }),
  );
}

export function filtersOf({ status, workflow, time, from, until, test, text }: RunsSearch, now: number): RunFilters {
  const span = SPANS[time ?? ""];
  const start = span ? new Date(now - span.ms).toISOString() : time === "between" ? moment(from) : undefined;
  return {
    status: STATUSES.find((each) => each === status),
    workflow,
    from: start,
    until: time === "between" ? moment(until) : undefined,
    test: test === "only" ? "true" : test === "without" ? "false" : undefined,
    text,
  };
}

function moment(local: string | undefined): string | undefined {
  const ms = Date.parse(local ?? "");
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString();
}
