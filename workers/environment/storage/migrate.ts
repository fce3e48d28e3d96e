// Brings an environment's storage to the newest schema. Only a provisioned object has storage: reading the version of
// an object that never was provisioned writes nothing, so a stray request leaves it empty.
import { MIGRATIONS } from "./migrations.ts";

export type StorageState = "absent" | "provisioned" | "deleted";

function hasTable(sql: SqlStorage, name: string): boolean {
  return sql.exec("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", name).toArray().length > 0;
}

/** Whether the object was provisioned, was deleted, or never existed. Writes nothing. */
export function storageState(sql: SqlStorage): StorageState {
  if (hasTable(sql, "deleted")) return "deleted";
  return hasTable(sql, "storage_version") ? "provisioned" : "absent";
}

/** Applies the steps that are missing, in one transaction. For provisioned objects, and for provisioning. */
export function migrate(storage: DurableObjectStorage, migrations: readonly string[] = MIGRATIONS): void {
  const { sql } = storage;
  const from = hasTable(sql, "storage_version")
    ? sql.exec<{ version: number }>("SELECT version FROM storage_version").one().version
    : 0;
  if (from >= migrations.length) return;
  storage.transactionSync(() => {
    for (const step of migrations.slice(from)) sql.exec(step);
    sql.exec("CREATE TABLE IF NOT EXISTS storage_version (version INTEGER NOT NULL)");
    sql.exec("DELETE FROM storage_version");
    sql.exec("INSERT INTO storage_version VALUES (?)", migrations.length);
  });
}

/** Drops everything and leaves one row that says so, so that the environment cannot be provisioned again. */
export function deleteStorage(sql: SqlStorage, now: number): void {
  const tables = sql
    .exec<{ name: string }>(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf_*' AND name <> 'deleted'",
    )
    .toArray();
  for (const { name } of tables) sql.exec(`DROP TABLE "${name}"`);
  sql.exec("CREATE TABLE IF NOT EXISTS deleted (at INTEGER NOT NULL)");
  sql.exec("INSERT INTO deleted SELECT ? WHERE NOT EXISTS (SELECT 1 FROM deleted)", now);
}
