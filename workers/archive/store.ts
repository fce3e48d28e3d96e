// Stores the batches of environments' objects. A batch is one transaction and may be repeated: a stored row stays as it
// is, and only a new row is counted in the hours. A reply that is lost after the commit therefore doubles nothing.
// Tests: tests/system/history.test.ts.
import type { ArchivedRows } from "../../shared/contracts/archive.ts";
import { searchableText, storableJson } from "../../shared/kernel/json-text.ts";
import { type Bucket, keep } from "./bucket.ts";
import { type Month, monthOf } from "./months.ts";
import { type Client, type Query, TABLES } from "./sql.ts";

/** Only one process creates tables at a time; the lock's number is ours alone within the database. */
const MAKING_MONTHS = 4_104_101;

const INSERT_EVENTS = `
  INSERT INTO history_events (environment_id, id, sender_id, name, kind, summary, payload, payload_key, context)
  SELECT $1, id, sender_id, name, kind, summary, payload, payload_key, context FROM json_to_recordset($2::json) AS row
    (id bigint, sender_id text, name text, kind text, summary text, payload text, payload_key text, context text)
  ON CONFLICT DO NOTHING`;

const INSERT_STEPS = `
  INSERT INTO history_steps (environment_id, run_id, part, steps, body, body_key)
  SELECT $1, run_id, part, steps, body, body_key FROM json_to_recordset($2::json) AS row
    (run_id bigint, part integer, steps integer, body text, body_key text)
  ON CONFLICT DO NOTHING`;

/** 4,096 ids a millisecond, from 2025 on: shared/ids/ids.ts. */
const INSERT_RUNS = `
  WITH fresh AS (
    INSERT INTO history_runs
      (environment_id, id, event_id, workflow, status, is_test, duration_ms, summary, output, output_key)
    SELECT $1, id, event_id, workflow, status, is_test, duration_ms, summary, output, output_key
    FROM json_to_recordset($2::json) AS row
      (id bigint, event_id bigint, workflow text, status text, is_test boolean, duration_ms bigint, summary text,
       output text, output_key text)
    ON CONFLICT DO NOTHING
    RETURNING id, workflow, status, duration_ms
  )
  INSERT INTO history_hours AS hours (environment_id, hour, workflow, bucket, runs, failures)
  SELECT $1, date_trunc('hour', timestamptz '2025-01-01T00:00:00Z' + (id / 4096) * interval '1 millisecond', 'UTC'),
    workflow, CASE WHEN duration_ms IS NULL THEN -1 ELSE floor(ln(greatest(duration_ms, 1)) / ln(1.1))::integer END,
    count(*), count(*) FILTER (WHERE status IN ('ERROR', 'TIMED_OUT'))
  FROM fresh GROUP BY 2, 3, 4 ORDER BY 2, 3, 4
  ON CONFLICT (environment_id, hour, workflow, bucket)
    DO UPDATE SET runs = hours.runs + excluded.runs, failures = hours.failures + excluded.failures`;

/** Months whose tables this isolate knows to exist. */
export class Months {
  readonly #known = new Set<string>();

  async make(client: Client, wanted: readonly Month[]): Promise<void> {
    const missing = wanted.filter(({ name }) => !this.#known.has(name));
    if (missing.length === 0) return;
    await client.transaction([
      client.query(`SELECT pg_advisory_xact_lock(${MAKING_MONTHS})`),
      ...missing.flatMap(({ name, from, to }) =>
        TABLES.map((table) =>
          client.query(
            `CREATE TABLE IF NOT EXISTS ${table.name}_${name} PARTITION OF ${table.name} FOR VALUES FROM (${from}) TO (${to})`,
          ),
        ),
      ),
    ]);
    for (const { name } of missing) this.#known.add(name);
  }

  /** A month was dropped, or may have been: its tables are created again on demand. */
  forget(): void {
    this.#known.clear();
  }
}

export async function store(
  { client, bucket, months }: { client: Client; bucket: Bucket | undefined; months: Months },
  environmentId: string,
  rows: ArchivedRows,
): Promise<void> {
  const ids = [
    ...rows.events.map(({ id }) => id),
    ...rows.runs.map(({ id }) => id),
    ...rows.steps.map(({ run }) => run),
  ];
  const wanted = new Map(ids.map((id) => monthOf(id)).map((month) => [month.name, month]));
  const queries = await inserts(client, bucket, environmentId, rows);
  if (queries.length === 0) return;
  await months.make(client, [...wanted.values()]);
  await client.transaction(queries);
}

/** The steps of a run are stored before it or with it: a stored run is complete. */
async function inserts(
  client: Client,
  bucket: Bucket | undefined,
  environmentId: string,
  rows: ArchivedRows,
): Promise<Query[]> {
  const keepJson = (key: string, text: string | null) =>
    keep(bucket, `${environmentId}/${key}`, text === null ? null : storableJson(text));
  const events = await Promise.all(
    rows.events.map(async ({ id, senderId, name, kind, summary, payload, context }) => {
      const kept = await keepJson(`events/${id}/payload`, payload);
      return {
        id,
        sender_id: senderId === null ? null : searchableText(senderId),
        name: searchableText(name),
        kind,
        summary: storableJson(summary),
        payload: kept.text,
        payload_key: kept.key,
        context: context === null ? null : storableJson(context),
      };
    }),
  );
  const steps = await Promise.all(
    rows.steps.map(async ({ run, part, count, body }) => {
      const kept = await keepJson(`runs/${run}/steps/${part}`, body);
      return { run_id: run, part, steps: count, body: kept.text, body_key: kept.key };
    }),
  );
  const runs = await Promise.all(
    rows.runs.map(async ({ id, event, workflow, status, isTest, durationMs, summary, output }) => {
      const kept = await keepJson(`runs/${id}/output`, output);
      return {
        id,
        event_id: event,
        workflow: searchableText(workflow),
        status,
        is_test: isTest,
        duration_ms: durationMs,
        summary: storableJson(summary),
        output: kept.text,
        output_key: kept.key,
      };
    }),
  );
  const insert = (text: string, given: readonly object[]) =>
    given.length === 0 ? [] : [client.query(text, [environmentId, JSON.stringify(given)])];
  return [...insert(INSERT_EVENTS, events), ...insert(INSERT_STEPS, steps), ...insert(INSERT_RUNS, runs)];
}
