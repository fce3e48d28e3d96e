// Brings an environment's storage to the newest schema. Only a provisioned object has storage: reading the version of
// an object that never was provisioned writes nothing, so a stray request leaves it empty.
import { dropTables, hasTable, migrateStorage } from "../../platform/object-storage.ts";
import { MIGRATIONS } from "./migrations.ts";

export type StorageState = "absent" | "provisioned" | "deleted";

/** Whether the object was provisioned, was deleted, or never existed. Writes nothing. */
export function storageState(sql: SqlStorage): StorageState {
  if (hasTable(sql, "deleted")) return "deleted";
  return hasTable(sql, "storage_version") ? "provisioned" : "absent";
}

/** For provisioned objects, and for provisioning. */
export function migrate(storage: DurableObjectStorage, migrations: readonly string[] = MIGRATIONS): void {
  migrateStorage(storage, migrations);
}

/** Drops everything and leaves one row that says so, so that the environment cannot be provisioned again. */
export function deleteStorage(sql: SqlStorage, now: number): void {
  const [deleted] = hasTable(sql, "deleted") ? sql.exec<{ at: number }>("SELECT at FROM deleted").toArray() : [];
  dropTables(sql);
  sql.exec("CREATE TABLE deleted (at INTEGER NOT NULL)");
  sql.exec("INSERT INTO deleted VALUES (?)", deleted?.at ?? now);
}
