import { expect, test } from "vitest";
import { endOfOverlap } from "./keys.ts";

const NOW = Date.UTC(2027, 0, 1);
const day = (n: number) => new Date(NOW + n * 24 * 3_600_000);

test.each([
  ["without an overlap it is revoked now", null, 0, { revokedAt: day(0) }],
  ["without an overlap, whatever its end was", day(3), 0, { revokedAt: day(0) }],
  ["a key without an end gets one", null, 7, { expiresAt: day(7) }],
  ["half a day", null, 0.5, { expiresAt: day(0.5) }],
  ["an earlier end stays", day(2), 7, { expiresAt: day(2) }],
  ["a later end comes nearer", day(30), 7, { expiresAt: day(7) }],
])("the rotated key: %s", (_what, expiresAt, overlapDays, ends) => {
  expect(endOfOverlap(expiresAt, overlapDays, NOW)).toEqual(ends);
});
