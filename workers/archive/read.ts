// Reading history: pages by keyset, newest first, and single runs and events, as JSON text in the form of the
// environment's object. Every query names one environment.

import type { RunStatus } from "../../shared/api/runs.ts";
import type {
  HistoryEventsQuery,
  HistoryHour,
  HistoryPage,
  HistoryQuery,
  HistoryRunsQuery,
} from "../../shared/contracts/archive.ts";
import { parseRunId } from "../../shared/ids/ids.ts";
import { members, object, searchableText } from "../../shared/kernel/json-text.ts";
import { type Bucket, fetchKept } from "./bucket.ts";
import { ask, type Client } from "./sql.ts";

export interface Store {
  readonly client: Client;
  readonly bucket: Bucket | undefined;
}

/** Runs in which one page looks for a text. The page returns the matches, and how far the search came. */
const SEARCHED_AT_ONCE = 2_000;
/** Characters of full runs in one answer, which may have 32 MiB; also of one run's steps, as in its object. */
const EXPORTED_MAX_CHARS = 8 * 1024 * 1024;
const STEPS_MAX_CHARS = 8 * 1024 * 1024;
/** Parts of steps, and characters of everything else, per query: one answer of the driver holds 10 MB at most. */
const STEPS_PARTS_AT_ONCE = 8;
const ASKED_AT_ONCE_CHARS = 4 * 1024 * 1024;
const SHORT_STEPS_CHARS = 32 * 1024;

interface SummaryRow {
  readonly id: string;
  readonly summary: string;
}

const page = (rows: readonly SummaryRow[], limit: number): HistoryPage => ({
  rows: rows.map(({ id, summary }) => ({ id: Number(id), json: summary })),
  reached: rows.length < limit ? 0 : Number(rows.at(-1)?.id ?? 0),
});

export async function listRuns(
  { client }: Store,
  environmentId: string,
  { before, limit, status, workflow, isTest, from, text }: HistoryRunsQuery,
): Promise<HistoryPage> {
  const conditions = `environment_id = $1 AND id < $2 AND id >= $3 AND ($4::text IS NULL OR status = $4)
    AND ($5::text IS NULL OR workflow = $5) AND ($6::boolean IS NULL OR is_test = $6)`;
  const values = [environmentId, before, from, status, workflow === null ? null : searchableText(workflow), isTest];
  if (text === null) {
    const query = `SELECT id, summary FROM history_runs WHERE ${conditions} ORDER BY id DESC LIMIT $7`;
    return page(await ask<SummaryRow>(client, query, ...values, limit), limit);
  }
  // The columns hold JSON, so the searched text is escaped like JSON.
  const looked = JSON.stringify(text).slice(1, -1).toLowerCase();
  const rows = await ask<SummaryRow & { found: boolean }>(
    client,
    `WITH some AS MATERIALIZED (
       SELECT id, event_id, summary, output FROM history_runs WHERE ${conditions} ORDER BY id DESC LIMIT $7
     )
     SELECT some.id, some.summary, strpos(lower(concat(some.summary, ' ', some.output, ' ', event.payload)), $8) > 0 AS found
     FROM some LEFT JOIN history_events event ON event.environment_id = $1 AND event.id = some.event_id
     ORDER BY some.id DESC`,
    ...values,
    SEARCHED_AT_ONCE,
    looked,
  );
  const found = rows.filter((row) => row.found).slice(0, limit);
  if (found.length === limit) return page(found, limit);
  const last = rows.length < SEARCHED_AT_ONCE ? 0 : Number(rows.at(-1)?.id ?? 0);
  return { ...page(found, limit), reached: last };
}

interface FullRow extends SummaryRow {
  readonly output: string | null;
  readonly output_key: string | null;
  readonly payload: string | null;
  readonly payload_key: string | null;
  readonly context: string | null;
}

const FROM_RUNS = `FROM history_runs run
  LEFT JOIN history_events event ON event.environment_id = run.environment_id AND event.id = run.event_id
  WHERE run.environment_id = $1`;
const FULL = `SELECT run.id, run.summary, run.output, run.output_key, event.payload, event.payload_key, event.context
  ${FROM_RUNS}`;

export async function getRun(store: Store, environmentId: string, id: number): Promise<string | null> {
  const [row] = await ask<FullRow>(store.client, `${FULL} AND run.id = $2`, environmentId, id);
  if (row === undefined) return null;
  return fullRun(store, row, await readSteps(store, environmentId, id));
}

/** Sizes are queried before rows: an answer of the driver, and of this Worker, has its limits. */
export async function exportRuns(
  store: Store,
  environmentId: string,
  { before, limit }: HistoryQuery,
): Promise<HistoryPage> {
  const { client } = store;
  const sized = await ask<{ id: string; size: number }>(
    client,
    `SELECT run.id, length(run.summary) + coalesce(length(run.output), 0) + coalesce(length(event.payload), 0)
       + coalesce(length(event.context), 0) AS size ${FROM_RUNS} AND run.id < $2 ORDER BY run.id DESC LIMIT $3`,
    environmentId,
    before,
    limit,
  );
  const ids = thatFit(sized);
  if (ids.length === 0) return { rows: [], reached: 0 };
  const some = `${FULL} AND run.id = ANY($2::bigint[]) ORDER BY run.id DESC`;
  const found = await ask<FullRow>(client, some, environmentId, ids);
  const shortSteps = await readShortSteps(store, environmentId, ids);
  const rows: { id: number; json: string }[] = [];
  let chars = 0;
  for (const row of found) {
    if (chars > EXPORTED_MAX_CHARS) break;
    const id = Number(row.id);
    const json = await fullRun(store, row, shortSteps.get(id) ?? (await readSteps(store, environmentId, id)));
    chars += json.length;
    rows.push({ id, json });
  }
  return { rows, reached: rows.length < limit && rows.length === sized.length ? 0 : (rows.at(-1)?.id ?? 0) };
}

/** The first rows that together have this many characters; at least one. */
function thatFit(sized: readonly { readonly id: string; readonly size: number }[]): number[] {
  let chars = 0;
  const fit = sized.findIndex(({ size }, at) => {
    chars += size;
    return at > 0 && chars > ASKED_AT_ONCE_CHARS;
  });
  return sized.slice(0, fit === -1 ? undefined : fit).map(({ id }) => Number(id));
}

interface Steps {
  readonly tasks: string;
  readonly omitted: number;
}

/** The steps of runs that have few characters of them, or none: most runs, and two queries for all. */
async function readShortSteps(
  { client, bucket }: Store,
  environmentId: string,
  runs: readonly number[],
): Promise<Map<number, Steps>> {
  const sized = await ask<{ run_id: string; size: number | null }>(
    client,
    `SELECT run_id, sum(length(body))::integer AS size FROM history_steps
     WHERE environment_id = $1 AND run_id = ANY($2::bigint[]) GROUP BY run_id`,
    environmentId,
    runs,
  );
  const sizes = new Map(sized.map(({ run_id, size }) => [Number(run_id), size ?? 0]));
  const short = [...sizes].filter(([, size]) => size <= SHORT_STEPS_CHARS).map(([run]) => run);
  const parts = await ask<{ run_id: string; body: string | null; body_key: string | null }>(
    client,
    `SELECT run_id, body, body_key FROM history_steps WHERE environment_id = $1 AND run_id = ANY($2::bigint[])
     ORDER BY run_id, part`,
    environmentId,
    short,
  );
  const bodies = new Map<number, string[]>();
  for (const { run_id, body, body_key } of parts) {
    const run = Number(run_id);
    const text = await fetchKept(bucket, { text: body, key: body_key });
    bodies.set(run, [...(bodies.get(run) ?? []), text ?? ""]);
  }
  const known = runs.filter((run) => !sizes.has(run) || bodies.has(run));
  return new Map(known.map((run) => [run, { tasks: (bodies.get(run) ?? []).join(","), omitted: 0 }]));
}

/** The form of `readRunJson` in the object. */
async function fullRun({ bucket }: Store, row: FullRow, { tasks, omitted }: Steps): Promise<string> {
  const { event, ...rest } = JSON.parse(row.summary) as { event: object };
  const payload = await fetchKept(bucket, { text: row.payload, key: row.payload_key });
  const output = await fetchKept(bucket, { text: row.output, key: row.output_key });
  return object([
    ...members(rest),
    ["event", object([...members(event), ["payload", payload ?? "null"], ["context", row.context]])],
    ["output", output],
    ["tasks", `[${tasks}]`],
    ["tasksOmitted", omitted > 0 ? String(omitted) : null],
  ]);
}

async function readSteps({ client, bucket }: Store, environmentId: string, run: number): Promise<Steps> {
  const bodies: string[] = [];
  let chars = 0;
  let omitted = 0;
  for (let from = 0; ; from += STEPS_PARTS_AT_ONCE) {
    const parts = await ask<{ steps: number; body: string | null; body_key: string | null }>(
      client,
      `SELECT steps, CASE WHEN $3 THEN body END AS body, CASE WHEN $3 THEN body_key END AS body_key FROM history_steps
       WHERE environment_id = $1 AND run_id = $2 AND part >= $4 ORDER BY part LIMIT $5`,
      environmentId,
      run,
      chars < STEPS_MAX_CHARS,
      from,
      STEPS_PARTS_AT_ONCE,
    );
    for (const part of parts) {
      const text = chars < STEPS_MAX_CHARS ? await fetchKept(bucket, { text: part.body, key: part.body_key }) : null;
      if (text === null) omitted += part.steps;
      else bodies.push(text);
      chars += text?.length ?? 0;
    }
    if (parts.length < STEPS_PARTS_AT_ONCE) return { tasks: bodies.join(","), omitted };
  }
}

export async function listEvents(
  { client }: Store,
  environmentId: string,
  { before, limit, name, kind }: HistoryEventsQuery,
): Promise<HistoryPage> {
  const rows = await ask<SummaryRow>(
    client,
    `SELECT id, summary FROM history_events WHERE environment_id = $1 AND id < $2
     AND ($3::text IS NULL OR name = $3) AND ($4::text IS NULL OR kind = $4) ORDER BY id DESC LIMIT $5`,
    environmentId,
    before,
    name === null ? null : searchableText(name),
    kind,
    limit,
  );
  return page(await withStatuses(client, environmentId, rows), limit);
}

export async function getEvent(
  { client, bucket }: Store,
  environmentId: string,
  id: number | null,
  senderId: string,
): Promise<string | null> {
  const [row] = await ask<SummaryRow & { payload: string | null; payload_key: string | null; context: string | null }>(
    client,
    `SELECT id, summary, payload, payload_key, context FROM history_events
     WHERE environment_id = $1 AND (sender_id = $2 OR id = $3) ORDER BY id DESC LIMIT 1`,
    environmentId,
    senderId,
    id,
  );
  if (row === undefined) return null;
  const [summary] = await withStatuses(client, environmentId, [row]);
  const payload = await fetchKept(bucket, { text: row.payload, key: row.payload_key });
  const rest = object([
    ["workflows", "[]"],
    ["payload", payload ?? "null"],
    ["context", row.context],
  ]);
  return `${(summary ?? row).summary.slice(0, -1)},${rest.slice(1)}`;
}

interface ShownRun {
  readonly id: string;
  readonly workflow: string;
  readonly status?: RunStatus;
}

/** An object deletes an event after the event's runs, so that here they all have their ends. */
async function withStatuses(client: Client, environmentId: string, rows: readonly SummaryRow[]): Promise<SummaryRow[]> {
  const events = rows.map(({ id, summary }) => ({ id, summary: JSON.parse(summary) as { runs: ShownRun[] } }));
  const numbers = events.flatMap(({ summary }) =>
    summary.runs.flatMap((run) => parseRunId(environmentId, run.id) ?? []),
  );
  if (numbers.length === 0) return [...rows];
  const ended = await ask<{ id: string; status: RunStatus }>(
    client,
    "SELECT id, status FROM history_runs WHERE environment_id = $1 AND id = ANY($2::bigint[])",
    environmentId,
    numbers,
  );
  const statuses = new Map(ended.map(({ id, status }) => [Number(id), status]));
  return events.map(({ id, summary }) => {
    const runs = summary.runs.flatMap((run) => {
      const status = statuses.get(parseRunId(environmentId, run.id) ?? -1);
      return status === undefined ? [] : { ...run, status };
    });
    return { id, summary: JSON.stringify({ ...summary, runs }) };
  });
}

export async function hours(client: Client, environmentId: string, from: number, to: number): Promise<HistoryHour[]> {
  const rows = await ask<{ hour: string; workflow: string; bucket: number; runs: number; failures: number }>(
    client,
    `SELECT to_char(hour AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS hour, workflow, bucket, runs, failures
     FROM history_hours WHERE environment_id = $1 AND hour >= $2::timestamptz AND hour < $3::timestamptz
     ORDER BY hour, workflow, bucket`,
    environmentId,
    new Date(from).toISOString(),
    new Date(to).toISOString(),
  );
  const grouped = new Map<
    string,
    { hour: string; workflow: string; buckets: [bucket: number, runs: number][]; failures: number }
  >();
  for (const { hour, workflow, bucket, runs, failures } of rows) {
    const key = `${hour} ${workflow}`;
    const group = grouped.get(key) ?? { hour, workflow, buckets: [], failures: 0 };
    group.buckets.push([bucket, runs]);
    group.failures += failures;
    grouped.set(key, group);
  }
  return [...grouped.values()].map(({ hour, workflow, buckets, failures }) => ({
    hour,
    workflow,
    runs: buckets.reduce((sum, [, runs]) => sum + runs, 0),
    failures,
    p50Ms: bucketQuantile(buckets, 0.5),
    p95Ms: bucketQuantile(buckets, 0.95),
  }));
}

/** The middle of the bucket at this quantile of the runs that started and ended; null if none has. Buckets ascend. */
export function bucketQuantile(
  buckets: readonly (readonly [bucket: number, runs: number])[],
  part: number,
): number | null {
  const started = buckets.filter(([bucket]) => bucket >= 0);
  const total = started.reduce((sum, [, runs]) => sum + runs, 0);
  let seen = 0;
  for (const [bucket, runs] of started) {
    seen += runs;
    if (seen >= total * part) return Math.round(1.1 ** (bucket + 0.5));
  }
  return null;
}
