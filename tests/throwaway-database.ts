// Tests that run on a real PostgreSQL server have a database of their own there.
import { randomUUID } from "node:crypto";
import { connectPostgres, type LocalPostgres } from "../scripts/local/postgres.ts";

/** A new, empty database on the server of this URL; closing drops it. */
export async function throwawayDatabase(url: string): Promise<LocalPostgres> {
  const name = `switchyard_test_${randomUUID().replaceAll("-", "")}`;
  const admin = connectPostgres(url);
  await admin.pool.query(`create database ${name}`);
  const own = new URL(url);
  own.pathname = `/${name}`;
  const postgres = connectPostgres(own.href);
  return {
    pool: postgres.pool,
    async close() {
      await postgres.close();
      await admin.pool.query(`drop database ${name}`);
      await admin.close();
    },
  };
}
