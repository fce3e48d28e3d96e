// What the routes of the management API do to the world, behind an interface, for one request.
import { now } from "../../shared/clock.ts";
import { createDatabase, type Database } from "../../shared/db/client.ts";
import { log } from "../../shared/log.ts";
import { type Env, parseDatabaseSettings } from "../env.ts";

/** All queries of one request together; past it Postgres counts as away. A sleeping Neon database wakes within a second. */
export const DATABASE_ANSWERS_WITHIN_MS = 10_000;

export interface World {
  /** Made when it is first asked for: what needs no Postgres works without its settings. Throws a SettingError. */
  readonly db: Database;
  now(): number;
  /** Goes on after the answer; what fails is logged, by name only. */
  afterwards(work: Promise<void>): void;
}

export function makeWorld(env: Env, waitUntil: (work: Promise<void>) => void): World {
  let db: Database | null = null;
  return {
    get db() {
      db ??= createDatabase(parseDatabaseSettings(env), AbortSignal.timeout(DATABASE_ANSWERS_WITHIN_MS));
      return db;
    },
    now,
    afterwards(work) {
      waitUntil(
        work.catch((error: unknown) => {
          log("warn", "work after an answer failed", { name: error instanceof Error ? error.name : "unknown" });
        }),
      );
    },
  };
}
