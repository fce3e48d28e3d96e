// Brings an object's SQLite storage to its newest schema, by append-only steps.

export function hasTable(sql: SqlStorage, name: string): boolean {
  return sql.exec("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", name).toArray().length > 0;
}

/** Applies the steps that are missing, in one transaction. Step n brings a database of version n to n + 1. */
export function migrateStorage(storage: DurableObjectStorage, steps: readonly string[]): void {
  const { sql } = storage;
  const from = hasTable(sql, "storage_version")
    ? sql.exec<{ version: number }>("SELECT version FROM storage_version").one().version
    : 0;
  if (from >= steps.length) return;
  storage.transactionSync(() => {
    for (const step of steps.slice(from)) sql.exec(step);
    sql.exec("CREATE TABLE IF NOT EXISTS storage_version (version INTEGER NOT NULL)");
    sql.exec("DELETE FROM storage_version");
    sql.exec("INSERT INTO storage_version VALUES (?)", steps.length);
  });
}

/** Drops every table; the platform's own are left. One that a query still reads is emptied: SQLite refuses to drop it. */
export function dropTables(sql: SqlStorage): void {
  const tables = sql
    .exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf_*'")
    .toArray();
  for (const { name } of tables) {
    try {
      sql.exec(`DROP TABLE "${name}"`);
    } catch {
      sql.exec(`DELETE FROM "${name}"`);
    }
  }
}
