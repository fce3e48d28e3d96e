import { describe, expect, it } from "vitest";
import { backoffMs } from "./backoff.ts";

describe("backoffMs", () => {
  const backoff = { firstMs: 5_000, longestMs: 300_000 };

  it.each([
    [0, 5_000],
    [1, 5_000],
    [2, 10_000],
    [3, 20_000],
    [6, 160_000],
    [7, 300_000],
    [2_000, 300_000],
  ])("after %i failures waits %i ms", (failures, wait) => {
    expect(backoffMs(failures, backoff)).toBe(wait);
  });

  it("grows by the factor it is given", () => {
    expect(backoffMs(3, { firstMs: 100, longestMs: 10_000, factor: 1.8 })).toBeCloseTo(324);
  });

  it("keeps one wait when the factor is 1", () => {
    expect(backoffMs(40, { firstMs: 100, longestMs: 10_000, factor: 1 })).toBe(100);
  });
});
