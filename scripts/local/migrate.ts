// Applies `migrations/` to a database, each migration once and in order, all of them in one transaction.
import { fileURLToPath } from "node:url";
import { drizzle } from "drizzle-orm/node-postgres";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import pg from "pg";

const MIGRATIONS = fileURLToPath(new URL("../../migrations", import.meta.url));

/**
 * Brings the database to the newest schema; does nothing if it is there already. A pool stays open, a connection made
 * for a URL is closed. Throws Postgres's error; a failed run leaves nothing behind.
 */
export async function applyMigrations(database: string | pg.Pool): Promise<void> {
  if (typeof database !== "string") return migrate(drizzle(database), { migrationsFolder: MIGRATIONS });
  const pool = new pg.Pool({ connectionString: database, max: 1 });
  try {
    await applyMigrations(pool);
  } finally {
    await pool.end();
  }
}
