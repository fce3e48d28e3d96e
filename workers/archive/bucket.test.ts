import { describe, expect, it } from "vitest";
import { BUCKET_FROM_CHARS } from "../../shared/kernel/limits.ts";
import { type Bucket, deleteKept, fetchKept, keep } from "./bucket.ts";

/** A bucket that records its deletions. */
function fakeBucket() {
  const objects = new Map<string, string>();
  const deletions: number[] = [];
  const bucket = {
    put: async (key: string, text: string) => void objects.set(key, text),
    get: async (key: string) => (objects.has(key) ? { text: async () => objects.get(key) } : null),
    delete: async (keys: string[]) => {
      deletions.push(keys.length);
      for (const key of keys) objects.delete(key);
    },
  } as unknown as Bucket;
  return { bucket, objects, deletions };
}

const LARGE = "x".repeat(BUCKET_FROM_CHARS + 1);

describe("a text of an ended run", () => {
  it.each([
    [
      "stays in its row while it is small",
      "x".repeat(BUCKET_FROM_CHARS),
      { text: "x".repeat(BUCKET_FROM_CHARS), key: null },
    ],
    ["goes to the bucket when it is large", LARGE, { text: null, key: "e/1" }],
    ["takes no place when it is null", null, { text: null, key: null }],
  ])("%s, and reads back the same", async (_, text, kept) => {
    const { bucket } = fakeBucket();
    expect(await keep(bucket, "e/1", text)).toEqual(kept);
    expect(await fetchKept(bucket, kept)).toBe(text);
  });

  it("stays in its row without a bucket, however large", async () => {
    expect(await keep(undefined, "e/1", LARGE)).toEqual({ text: LARGE, key: null });
  });

  it("fails to load when its object is missing from the bucket", async () => {
    const { bucket } = fakeBucket();
    await expect(fetchKept(bucket, { text: null, key: "e/1" })).rejects.toThrow("bucket");
    await expect(fetchKept(undefined, { text: null, key: "e/1" })).rejects.toThrow("bucket");
  });

  it("leaves the bucket with its row, a thousand keys a call", async () => {
    const { bucket, objects, deletions } = fakeBucket();
    const keys = Array.from({ length: 2_500 }, (_, n) => `e/${n}`);
    for (const key of keys) await keep(bucket, key, LARGE);
    await deleteKept(bucket, keys);
    expect([objects.size, deletions]).toEqual([0, [1_000, 1_000, 500]]);
  });
});
