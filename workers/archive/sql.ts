// Queries of the archive: by the driver itself, since drizzle does not describe the tables of history.
import type { NeonQueryPromise } from "@neondatabase/serverless";
import type { createClient } from "../../shared/db/client.ts";

export type Client = ReturnType<typeof createClient>;
export type Query = NeonQueryPromise<false, false>;

/** The tables that are partitioned by month, and the column that tells the month of a row. */
export const TABLES = [
  { name: "history_events", key: "id" },
  { name: "history_runs", key: "id" },
  { name: "history_steps", key: "run_id" },
] as const;

/** Runs one query. The caller knows the columns: a bigint comes as text. */
export async function ask<T>(client: Client, text: string, ...values: readonly unknown[]): Promise<T[]> {
  return (await client.query(text, [...values])) as T[];
}
