import { describe, expect, test } from "vitest";
import { endOfOverlap } from "./keys.ts";

const NOW = Date.UTC(2027, 0, 1);
const day = (n: number) => new Date(NOW + n * 24 * 3_600_000);

describe("the end of a rotated key", () => {
  test.each([
    ["revokes it now without an overlap", null, 0, { revokedAt: day(0) }],
    ["revokes it now without an overlap, whatever its expiry", day(3), 0, { revokedAt: day(0) }],
    ["sets an expiry if it has none", null, 7, { expiresAt: day(7) }],
    ["allows half a day", null, 0.5, { expiresAt: day(0.5) }],
    ["keeps an earlier expiry", day(2), 7, { expiresAt: day(2) }],
    ["shortens a later expiry", day(30), 7, { expiresAt: day(7) }],
  ])("%s", (_case, expiresAt, overlapDays, ends) => {
    expect(endOfOverlap(expiresAt, overlapDays, NOW)).toEqual(ends);
  });
});
