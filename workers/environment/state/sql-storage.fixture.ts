// SQLite in memory with the interface of an object's storage, for tests that need no runtime.
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { MIGRATIONS } from "../storage/migrations.ts";

type Row = Record<string, SqlStorageValue>;

/** The rows of one statement, which has been carried out. */
class Cursor<T extends Row = Row> implements SqlStorageCursor<T> {
  readonly #rows: T[];
  readonly columnNames: string[];
  readonly rowsWritten: number;
  readonly rowsRead = 0;

  constructor(rows: T[] = [], columnNames: string[] = [], rowsWritten = 0) {
    this.#rows = rows;
    this.columnNames = columnNames;
    this.rowsWritten = rowsWritten;
  }

  next(): IteratorResult<T, undefined> {
    const value = this.#rows.shift();
    return value === undefined ? { done: true, value } : { done: false, value };
  }

  toArray(): T[] {
    return this.#rows.splice(0);
  }

  one(): T {
    const [row, ...more] = this.toArray();
    if (row === undefined || more.length > 0) throw new Error("not exactly one row");
    return row;
  }

  raw<U extends SqlStorageValue[]>(): IterableIterator<U> {
    return this.toArray()
      .map((row) => Object.values(row) as U)
      .values();
  }

  [Symbol.iterator](): IterableIterator<T> {
    return this.toArray().values();
  }
}

/** The storage of an environment with the newest schema and no rows of its own. */
export function environmentSql(): SqlStorage {
  const database = new DatabaseSync(":memory:");
  for (const migration of MIGRATIONS) database.exec(migration);
  const changes = (): number => Number(database.prepare("SELECT total_changes() AS n").get()?.n ?? 0);
  return {
    exec<T extends Row>(query: string, ...bindings: SQLInputValue[]) {
      const statement = database.prepare(query);
      const before = changes();
      // SQLite takes ?1 for a parameter with a name.
      const numbered = /\?\d/.test(query);
      const named = Object.fromEntries(bindings.map((value, index) => [`?${index + 1}`, value]));
      const rows = numbered ? statement.all(named) : statement.all(...bindings);
      const columns = statement.columns().map(({ name }) => name);
      return new Cursor(
        rows.map((row) => ({ ...row }) as T),
        columns,
        changes() - before,
      );
    },
    databaseSize: 0,
    Cursor,
    Statement: class {},
  };
}
