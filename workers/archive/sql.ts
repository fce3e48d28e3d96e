// How the archive asks Postgres: by the driver itself, since the tables of history are not drizzle's to describe.
import type { NeonQueryPromise } from "@neondatabase/serverless";
import type { createClient } from "../../shared/db/client.ts";

export type Client = ReturnType<typeof createClient>;
export type Query = NeonQueryPromise<false, false>;

/** The tables that are kept by months, and the column that says of which month a row is. */
export const TABLES = [
  { name: "history_events", key: "id" },
  { name: "history_runs", key: "id" },
  { name: "history_steps", key: "run_id" },
] as const;

/** Asks one query. The columns are the caller's to know: a bigint comes as text. */
export async function ask<T>(client: Client, text: string, ...values: readonly unknown[]): Promise<T[]> {
  return (await client.query(text, [...values])) as T[];
}
