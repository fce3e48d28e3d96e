// Deletion of old history. A month that no environment keeps any more is dropped as a whole. An environment that keeps
// less than others has its rows deleted in slices.
import type { Forgetting } from "../../shared/contracts/archive.ts";
import { firstSequenceAt, sequenceTime } from "../../shared/ids/ids.ts";
import { type Bucket, deleteKept } from "./bucket.ts";
import { monthOfTable } from "./months.ts";
import { ask, type Client, TABLES } from "./sql.ts";

const DAY_MS = 24 * 3_600_000;
const DELETED_AT_ONCE = 2_000;
/** Slices of one call; the next call continues. */
const SLICES_MAX = 50;
/** The hours are small and outlive the runs. */
const HOURS_KEPT_DAYS = 800;

/** The columns with keys of objects in the bucket. */
const KEYS = { history_events: "payload_key", history_runs: "output_key", history_steps: "body_key" } as const;

interface Place {
  readonly client: Client;
  readonly bucket: Bucket | undefined;
}

export async function forget(
  place: Place,
  { environmentId, before, now }: Forgetting,
): Promise<{ complete: boolean; dropped: boolean }> {
  const below = before === null ? Number.MAX_SAFE_INTEGER : firstSequenceAt(before);
  const complete = await forgetEnvironment(place, environmentId, below);
  await ask(
    place.client,
    "DELETE FROM history_hours WHERE environment_id = $1 AND hour < $2::timestamptz",
    environmentId,
    new Date(now - (before === null ? -1 : HOURS_KEPT_DAYS) * DAY_MS).toISOString(),
  );
  return { complete, dropped: await dropMonths(place, now) };
}

/** Deletes an environment's rows below a number. Returns true once all of them are gone. */
async function forgetEnvironment(place: Place, environmentId: string, below: number): Promise<boolean> {
  for (const { name, key } of TABLES) {
    for (let slice = 0; ; slice++) {
      if (slice === SLICES_MAX) return false;
      const gone = await ask<{ kept: string | null }>(
        place.client,
        `DELETE FROM ${name} WHERE environment_id = $1 AND ${key} IN
           (SELECT ${key} FROM ${name} WHERE environment_id = $1 AND ${key} < $2 ORDER BY ${key} LIMIT ${DELETED_AT_ONCE})
         RETURNING ${KEYS[name]} AS kept`,
        environmentId,
        below,
      );
      await deleteKept(place.bucket, namesOf(gone));
      if (gone.length < DELETED_AT_ONCE) break;
    }
  }
  return true;
}

async function dropMonths(place: Place, now: number): Promise<boolean> {
  const { client, bucket } = place;
  const [longest] = await ask<{ days: number | null }>(client, "SELECT max(history_days) AS days FROM environments");
  if (typeof longest?.days !== "number") return false;
  const horizon = now - longest.days * DAY_MS;
  let dropped = false;
  for (const { name } of TABLES) {
    const tables = await ask<{ table: string }>(
      client,
      'SELECT relname AS "table" FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid WHERE inhparent = $1::regclass',
      name,
    );
    for (const { table } of tables) {
      const month = monthOfTable(table);
      if (month === null || sequenceTime(month.to) > horizon) continue;
      const kept = await ask<{ kept: string | null }>(
        client,
        `SELECT ${KEYS[name]} AS kept FROM ${table} WHERE ${KEYS[name]} IS NOT NULL`,
      );
      await deleteKept(bucket, namesOf(kept));
      await ask(client, `DROP TABLE IF EXISTS ${table}`);
      dropped = true;
    }
  }
  return dropped;
}

function namesOf(rows: readonly { kept: string | null }[]): string[] {
  return rows.flatMap(({ kept }) => kept ?? []);
}
