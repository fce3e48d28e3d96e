// Texts too large for a row that is read with others: they go to the bucket, if one is bound. The row has their key.
import { BUCKET_FROM_CHARS } from "../../shared/kernel/limits.ts";

export type Bucket = Pick<R2Bucket, "put" | "get" | "delete">;

/** A text as stored in its row: the text itself, or its key in the bucket. */
export interface Kept {
  readonly text: string | null;
  readonly key: string | null;
}

/** Keys that one call to the bucket may delete. */
const DELETED_AT_ONCE = 1_000;

/** Stores a text in its place. The same key always has the same text, so a repeat changes nothing. */
export async function keep(bucket: Bucket | undefined, key: string, text: string | null): Promise<Kept> {
  if (bucket === undefined || text === null || text.length <= BUCKET_FROM_CHARS) return { text, key: null };
  await bucket.put(key, text);
  return { text: null, key };
}

/** Throws if the bucket is no longer bound, or the object is missing from it. */
export async function fetchKept(bucket: Bucket | undefined, { text, key }: Kept): Promise<string | null> {
  if (key === null) return text;
  const found = await bucket?.get(key);
  if (!found) throw new Error("the bucket does not have what it was given");
  return found.text();
}

export async function deleteKept(bucket: Bucket | undefined, keys: readonly string[]): Promise<void> {
  if (bucket === undefined) return;
  for (let at = 0; at < keys.length; at += DELETED_AT_ONCE) await bucket.delete(keys.slice(at, at + DELETED_AT_ONCE));
}
