import { expect, test } from "vitest";
import { nextRepairAt } from "./repair-times.ts";

test.each([
  [0, 30_000],
  [1, 60_000],
  [6, 1_920_000],
  [7, 3_600_000],
  [1_000, 3_600_000],
])("after %i failures the next try is in %i ms", (failed, wait) => {
  expect(nextRepairAt(failed, 1_000)).toBe(1_000 + wait);
});
