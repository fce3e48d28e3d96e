import { expect, test } from "vitest";
import { nextTryAt, RETRY_WAITS_MS } from "./retry-times.ts";

const DAY = 24 * 3_600_000;

function lastTry(random: number): { tries: number; at: number } {
  let at = 0;
  for (let failed = 1; ; failed++) {
    const next = nextTryAt(failed, at, random);
    if (next === null) return { tries: failed - 1, at };
    at = next;
  }
}

test("there are at least 8 tries more, the last one late on the first day", () => {
  for (const random of [0, 0.5, 0.999]) {
    const { tries, at } = lastTry(random);
    expect(tries).toBeGreaterThanOrEqual(8);
    expect(at).toBeGreaterThan(DAY * 0.85);
    expect(at).toBeLessThanOrEqual(DAY);
  }
});

test("each wait is longer than the one before, and begins short", () => {
  expect(nextTryAt(1, 1_000, 0)).toBe(6_000);
  for (let i = 1; i < RETRY_WAITS_MS.length; i++) {
    expect(RETRY_WAITS_MS[i]).toBeGreaterThan(RETRY_WAITS_MS[i - 1] ?? 0);
  }
});

test("what failed together is tried again apart", () => {
  const times = [0, 0.25, 0.5, 0.75].map((random) => nextTryAt(3, 0, random));
  expect(new Set(times).size).toBe(4);
});

test("after the last try there is none", () => {
  expect(nextTryAt(RETRY_WAITS_MS.length, 0, 0)).not.toBeNull();
  expect(nextTryAt(RETRY_WAITS_MS.length + 1, 0, 0)).toBeNull();
});
