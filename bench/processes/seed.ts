// Writes past events into the file of an environment's object, each with an ended run: posting a million would take
// longer than the whole measurement. The object is not running meanwhile.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { firstSequenceAt } from "../../shared/ids/ids.ts";

const DAYS = 5;

/** Writes `count` events over the last days. Throws if the environment's file is not found. */
export async function seed(objects: string, environmentId: string, count: number): Promise<void> {
  const began = Date.now() - DAYS * 24 * 3_600_000;
  const first = firstSequenceAt(began);
  const step = Math.floor((firstSequenceAt(Date.now() - 60_000) - first) / count);
  for (const file of await readdir(objects, { recursive: true })) {
    if (!file.endsWith(".sqlite")) continue;
    const database = new DatabaseSync(join(objects, file));
    try {
      if (!isOf(database, environmentId)) continue;
      database.exec(`
        BEGIN;
        WITH RECURSIVE numbers (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM numbers WHERE i + 1 < ${count})
        INSERT INTO events (id, sender_id, digest, name, payload, timestamp, runs, kind, service)
        SELECT ${first} + i * ${step}, 'old-' || i, randomblob(32), 'bench.event', json_object('n', i),
          ${began} + i * ${step} / 4096, '[[' || (${first} + i * ${step} + 1) || ',1]]', 'CUSTOM_EVENT', 'trigger'
        FROM numbers;
        INSERT INTO runs (id, workflow, event, attempts, expires_at, started_at, finished_at, status, output)
        SELECT id + 1, 1, id, 1, timestamp + 3600000, timestamp + 1, timestamp + 5, 'SUCCESS', '1' FROM events;
        COMMIT;
      `);
      return;
    } finally {
      database.close();
    }
  }
  throw new Error("the environment's file was not found");
}

function isOf(database: DatabaseSync, environmentId: string): boolean {
  const tables = database.prepare("SELECT name FROM sqlite_master WHERE name IN ('settings', 'runs')").all();
  if (tables.length < 2) return false;
  return database.prepare("SELECT environment_id FROM settings").get()?.environment_id === environmentId;
}
