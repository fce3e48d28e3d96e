// One list over two places: what an environment's object has, and what Postgres has of it. Above a number, `forgottenBelow`,
// the object has everything; below it, only what is not archived yet, and Postgres has the rest. A page that the object
// can fill by itself never asks Postgres: recent history does not depend on it, and an open page does not wake it up.
import type { HistoryPage } from "../../shared/contracts/archive.ts";
import type { Slice } from "../../shared/contracts/environment.ts";

export interface Page<T> {
  readonly data: readonly T[];
  /** The cursor of the next page, or null at the end. */
  readonly next: string | null;
}

export interface Through<T> {
  /** What the object answered for the query. */
  readonly slice: Slice<T>;
  readonly limit: number;
  /** The numbers that the query's cursor, and the slice's, name; null for a text that names none. */
  readonly numberOf: (cursor: string) => number | null;
  readonly cursorOf: (number: number) => string;
  readonly cursor: string | null;
  readonly parse: (json: string) => T;
  /** A page of history below a number. */
  readonly history: (before: number, limit: number) => Promise<HistoryPage>;
}

/** A page of both, the newest first, each once. Rejects when history is needed and cannot be read. */
export async function throughHistory<T>(through: Through<T>): Promise<Page<T>> {
  const { slice, limit, numberOf, cursorOf, cursor, parse, history } = through;
  const { data, numbers, next, forgottenBelow } = slice;
  const lookedTo = next === null ? 0 : (numberOf(next) ?? 0);
  if (lookedTo >= forgottenBelow) return { data, next };
  const whole = numbers.filter((number) => number >= forgottenBelow).length;
  // What is below comes with the next page: a short page needs no Postgres.
  if (whole > 0) return { data: data.slice(0, whole), next: cursorOf(forgottenBelow) };

  const before = Math.min(forgottenBelow, cursor === null ? forgottenBelow : (numberOf(cursor) ?? forgottenBelow));
  const { rows, reached } = await history(before, limit);
  const downTo = Math.max(lookedTo, reached);
  const merged = new Map<number, T>();
  for (const { id, json } of rows) merged.set(id, parse(json));
  // The object's word is newer where both have one.
  for (const [at, number] of numbers.entries()) merged.set(number, data[at] as T);
  const all = [...merged.keys()].filter((number) => number >= downTo).sort((a, b) => b - a);
  const shown = all.slice(0, limit);
  const last = all.length > limit ? (shown.at(-1) ?? 0) : downTo;
  return { data: shown.map((number) => merged.get(number) as T), next: last === 0 ? null : cursorOf(last) };
}
