// The next call of the scheduler.
import { expect, test } from "vitest";
import { nextMinute } from "./cron.ts";

test.each([
  ["in the middle of a minute", "12:30:15.500", "12:31:00.000"],
  ["on the minute, which has been ticked", "12:30:00.000", "12:31:00.000"],
  ["a millisecond before", "12:30:59.999", "12:31:00.000"],
])("calls next: %s", (_when, now, next) => {
  expect(nextMinute(Date.parse(`2026-03-01T${now}Z`))).toBe(Date.parse(`2026-03-01T${next}Z`));
});
