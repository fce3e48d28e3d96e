// Rows that an object writes and reads, as they are billed.
import { inside, type TestEnvironment } from "./support.ts";

/** Counts the rows an object writes from here on, as they are billed: SQLite's own, and one for each alarm set. */
export async function countRows({ stub }: TestEnvironment): Promise<() => Promise<number>> {
  const cursors: { rowsWritten: number }[] = [];
  let alarms = 0;
  await inside(stub, ({ storage }) => {
    const exec = storage.sql.exec.bind(storage.sql);
    storage.sql.exec = (<T extends Record<string, SqlStorageValue>>(query: string, ...values: unknown[]) => {
      const cursor = exec<T>(query, ...values);
      cursors.push(cursor);
      return cursor;
    }) as typeof storage.sql.exec;
    const setAlarm = storage.setAlarm.bind(storage);
    storage.setAlarm = (...parameters) => {
      alarms++;
      return setAlarm(...parameters);
    };
  });
  return () => inside(stub, () => cursors.reduce((sum, { rowsWritten }) => sum + rowsWritten, alarms));
}

/** Counts the rows an object reads from here on, as SQLite counts them for the bill. */
export async function countRowsRead({ stub }: TestEnvironment): Promise<() => Promise<number>> {
  const cursors: { rowsRead: number }[] = [];
  await inside(stub, ({ storage }) => {
    const exec = storage.sql.exec.bind(storage.sql);
    storage.sql.exec = (<T extends Record<string, SqlStorageValue>>(query: string, ...values: unknown[]) => {
      const cursor = exec<T>(query, ...values);
      cursors.push(cursor);
      return cursor;
    }) as typeof storage.sql.exec;
  });
  return () => inside(stub, () => cursors.reduce((sum, { rowsRead }) => sum + rowsRead, 0));
}
