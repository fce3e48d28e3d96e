// What people are told of the archive, and runs that it does not have yet in numbers.
import type { HistoryHour } from "../../../shared/contracts/archive.ts";
import type { HistoryStatus } from "../../../shared/contracts/environment.ts";
import { firstSequenceAt, sequenceTime } from "../../../shared/ids/ids.ts";
import type { EnvironmentContext } from "../state/context.ts";
import { readHistory } from "../storage/history-cursor.ts";
import { quantile } from "../views/activity.ts";

/** Rows that are counted of a backlog, and of the hours: more say that there are so many at least. */
const COUNTED_MAX = 20_000;
const HOUR_MS = 3_600_000;

export function historyStatus(context: EnvironmentContext, storageMaxBytes: number): HistoryStatus {
  const { sql } = context;
  const state = readHistory(sql);
  const waiting = (table: "runs" | "events", until: number, passed: string) =>
    sql
      .exec<{ n: number }>(
        `SELECT (SELECT count(*) FROM (SELECT 1 FROM ${table} WHERE id > ? LIMIT ?)) + (SELECT count(*) FROM ${passed}) AS n`,
        until,
        COUNTED_MAX,
      )
      .one().n;
  const iso = (time: number | null) => (time === null ? null : new Date(time).toISOString());
  return {
    backlog: {
      runs: waiting("runs", state.runs_until, "passed_runs"),
      events: waiting("events", state.events_until, "passed_events"),
    },
    archivedAt: iso(state.archived_at),
    nextAt: iso(context.history.next(context)),
    failures: state.attempts,
    storageBytes: sql.databaseSize,
    storageMaxBytes,
  };
}

interface Ended extends Record<string, SqlStorageValue> {
  id: number;
  workflow: number;
  status: string;
  started_at: number | null;
  finished_at: number;
}

/** Ended runs that the archive has not counted yet, by hour and workflow; the oldest first. */
export function unarchivedHours({ sql, workflows }: EnvironmentContext, from: number, to: number): HistoryHour[] {
  const { runs_until: until } = readHistory(sql);
  const rows = sql.exec<Ended>(
    `SELECT id, workflow, status, started_at, finished_at FROM runs
     WHERE id >= ?1 AND id < ?2 AND finished_at IS NOT NULL AND (id > ?3 OR id IN (SELECT run FROM passed_runs))
     ORDER BY id DESC LIMIT ?4`,
    firstSequenceAt(from),
    firstSequenceAt(to),
    until,
    COUNTED_MAX,
  );
  const groups = new Map<
    string,
    { hour: number; workflow: number; runs: number; failures: number; durations: number[] }
  >();
  for (const { id, workflow, status, started_at, finished_at } of rows) {
    const hour = Math.floor(sequenceTime(id) / HOUR_MS) * HOUR_MS;
    const key = `${hour} ${workflow}`;
    const group = groups.get(key) ?? { hour, workflow, runs: 0, failures: 0, durations: [] };
    groups.set(key, group);
    group.runs += 1;
    if (status === "ERROR" || status === "TIMED_OUT") group.failures += 1;
    if (started_at !== null) group.durations.push(finished_at - started_at);
  }
  return [...groups.values()].reverse().map(({ hour, workflow, runs, failures, durations }) => {
    durations.sort((a, b) => a - b);
    return {
      hour: new Date(hour).toISOString(),
      workflow: workflows.byNumber(workflow)?.slug ?? "",
      runs,
      failures,
      p50Ms: quantile(durations, 0.5),
      p95Ms: quantile(durations, 0.95),
    };
  });
}
