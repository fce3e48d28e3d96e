import { describe, expect, it } from "vitest";
import { firstSequenceAt } from "../../shared/ids/ids.ts";
import { monthOf, monthOfTable } from "./months.ts";
import { bucketQuantile } from "./read.ts";

describe("the month of a number", () => {
  it.each([
    ["2025-01-01T00:00:00.000Z", "2025_01"],
    ["2026-11-30T23:59:59.999Z", "2026_11"],
    ["2026-12-01T00:00:00.000Z", "2026_12"],
    ["2026-12-31T23:59:59.999Z", "2026_12"],
    ["2028-02-29T12:00:00.000Z", "2028_02"],
  ])("covers %s: %s, and its number lies in it", (time, name) => {
    const id = firstSequenceAt(Date.parse(time));
    const month = monthOf(id);
    expect(month.name).toBe(name);
    expect(id).toBeGreaterThanOrEqual(month.from);
    expect(id).toBeLessThan(month.to);
    expect(monthOfTable(`history_runs_${name}`)).toEqual(month);
  });

  it.each(["history_runs", "history_runs_default", "runs_2026", "history_runs_2026_1"])(
    "rejects %s as the table of a month",
    (table) => {
      expect(monthOfTable(table)).toBeNull();
    },
  );

  it("ends where the next begins", () => {
    for (let at = Date.UTC(2025, 0, 1); at < Date.UTC(2029, 0, 1); at += 27 * 24 * 3_600_000) {
      const month = monthOf(firstSequenceAt(at));
      expect(monthOf(month.to).from).toBe(month.to);
    }
  });
});

describe("a quantile of buckets", () => {
  const bucketOf = (ms: number) => Math.floor(Math.log(Math.max(ms, 1)) / Math.log(1.1));
  it.each([1, 2, 10, 99, 1_000, 60_000, 3_600_000])("lies within five percent for runs that took %s ms", (ms) => {
    const found = bucketQuantile([[bucketOf(ms), 3]], 0.5) ?? 0;
    expect(Math.abs(found - ms)).toBeLessThanOrEqual(Math.max(1, ms * 0.051));
  });

  it("leaves out runs that never started, and is null without others", () => {
    expect(bucketQuantile([[-1, 100]], 0.5)).toBeNull();
    expect(bucketQuantile([], 0.95)).toBeNull();
    const buckets = [
      [-1, 900],
      [bucketOf(10), 94],
      [bucketOf(1_000), 6],
    ] as const;
    expect(bucketQuantile(buckets, 0.5)).toBeLessThan(12);
    expect(bucketQuantile(buckets, 0.95)).toBeGreaterThan(900);
  });
});
