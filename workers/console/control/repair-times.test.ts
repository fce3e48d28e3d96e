import { expect, test } from "vitest";
import { nextRepairAt } from "./repair-times.ts";

test.each([
  [1, 30_000],
  [2, 60_000],
  [7, 1_920_000],
  [8, 3_600_000],
  [1_000, 3_600_000],
  [100_000, 3_600_000],
])("schedules the next repair after %i failures in %i ms", (failures, wait) => {
  expect(nextRepairAt(failures, 1_000)).toBe(1_000 + wait);
});
