// The last hour of an environment in numbers: read from the newest rows by their ids, which are times, and never from more
// than COUNTED_MAX of them, so that it costs the same however many there are.
import {
  type Activity,
  type ActivityMinute,
  type Attention,
  COUNTED_MAX,
  MINUTES_SHOWN,
} from "../../../shared/api/activity.ts";
import { firstSequenceAt, sequenceTime } from "../../../shared/ids/ids.ts";
import type { EnvironmentContext } from "../state/context.ts";

const MINUTE_MS = 60_000;
const ATTENTION_MAX = 20;

interface Row extends Record<string, SqlStorageValue> {
  id: number;
  workflow: number;
  started_at: number | null;
  finished_at: number | null;
  status: string | null;
}

interface Counted {
  events: number;
  runs: number;
  failures: number;
  readonly durations: number[];
}

export function readActivity(context: EnvironmentContext, now: number): Activity {
  const { sql, hosts } = context;
  const lastMinute = Math.floor(now / MINUTE_MS) * MINUTE_MS;
  const hourAgo = lastMinute - (MINUTES_SHOWN - 1) * MINUTE_MS;
  const since = firstSequenceAt(hourAgo);
  const runs = sql
    .exec<Row>(
      "SELECT id, workflow, started_at, finished_at, status FROM runs WHERE id >= ? ORDER BY id DESC LIMIT ?",
      since,
      COUNTED_MAX,
    )
    .toArray();
  const events = sql
    .exec<{ id: number }>("SELECT id FROM events WHERE id >= ? ORDER BY id DESC LIMIT ?", since, COUNTED_MAX)
    .toArray();
  const oldest = (rows: readonly { id: number }[]) =>
    rows.length < COUNTED_MAX ? hourAgo : sequenceTime(rows.at(-1)?.id ?? since);
  const from = Math.max(oldest(runs), oldest(events));

  const minutes = new Map<number, Counted>();
  for (let at = hourAgo; at <= lastMinute; at += MINUTE_MS) {
    minutes.set(at, { events: 0, runs: 0, failures: 0, durations: [] });
  }
  const minuteOf = (id: number) => minutes.get(Math.floor(sequenceTime(id) / MINUTE_MS) * MINUTE_MS);
  const failures = new Map<number, number>();
  for (const { id } of events) {
    const minute = minuteOf(id);
    if (minute) minute.events += 1;
  }
  for (const { id, workflow, started_at, finished_at, status } of runs) {
    const minute = minuteOf(id);
    if (!minute) continue;
    minute.runs += 1;
    if (status === "ERROR" || status === "TIMED_OUT") {
      minute.failures += 1;
      failures.set(workflow, (failures.get(workflow) ?? 0) + 1);
    }
    if (finished_at !== null && status !== "TIMED_OUT") {
      minute.durations.push(finished_at - (started_at ?? sequenceTime(id)));
    }
  }
  return {
    hosts: [...hosts.all()].filter(({ registration }) => registration !== null).length,
    workflows: count(sql, "SELECT count(*) AS n FROM workflows WHERE deregistered_at IS NULL"),
    hasRuns: count(sql, "SELECT EXISTS (SELECT 1 FROM runs) AS n") === 1,
    from: new Date(from).toISOString(),
    minutes: [...minutes].map(([at, counted]) => summarize(at, counted)),
    attention: attentionTo(context, failures, now),
  };
}

function count(sql: SqlStorage, query: string): number {
  return sql.exec<{ n: number }>(query).one().n;
}

function summarize(at: number, { durations, ...counts }: Counted): ActivityMinute {
  durations.sort((a, b) => a - b);
  return {
    at: new Date(at).toISOString(),
    ...counts,
    p50Ms: quantile(durations, 0.5),
    p95Ms: quantile(durations, 0.95),
  };
}

/** Of sorted values, the smallest that so many are not above. */
export function quantile(sorted: readonly number[], part: number): number | null {
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? null;
}

function attentionTo(context: EnvironmentContext, failures: ReadonlyMap<number, number>, now: number): Attention[] {
  const { sql, hosts, workflows } = context;
  const slug = (number: number) => workflows.byNumber(number)?.slug ?? "";
  const waiting = sql
    .exec<{ workflow: number; runs: number }>(
      `SELECT workflow, count(*) AS runs FROM
         (SELECT workflow FROM unfinished_runs
          WHERE workflow NOT IN (SELECT value FROM json_each(?))
            AND (expires_at > ? OR attempts > 0 OR lost_in_a_row > 0) LIMIT ?)
       GROUP BY workflow ORDER BY runs DESC`,
      JSON.stringify(hosts.servedWorkflows()),
      now,
      COUNTED_MAX,
    )
    .toArray()
    .map(({ workflow, runs }): Attention => ({ kind: "no host", workflow: slug(workflow), runs }));
  const failing = [...failures]
    .sort(([, a], [, b]) => b - a)
    .map(([workflow, runs]): Attention => ({ kind: "failing", workflow: slug(workflow), runs }));
  const refused = sql
    .exec<{ slug: string; message: string }>(
      "SELECT slug, message FROM refused_registrations ORDER BY at DESC LIMIT ?",
      ATTENTION_MAX,
    )
    .toArray()
    .map((each): Attention => ({ kind: "refused", workflow: each.slug, runs: 0, message: each.message }));
  return [...refused, ...waiting, ...failing].slice(0, ATTENTION_MAX);
}
