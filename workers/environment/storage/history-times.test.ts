import { describe, expect, it } from "vitest";
import type { EnvironmentContext } from "../state/context.ts";
import { eventKeptUntil, eventsHorizon, HistoryClock } from "./history-cursor.ts";
import { nextTurn, retryAt } from "./history-times.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const EVERY_MS = 6 * HOUR_MS;
const NOON = Date.UTC(2026, 10, 25, 12);

describe("the turns of environments", () => {
  const ids = Array.from({ length: 500 }, (_, n) => `env_${String(n).padStart(14, "0")}`);

  it("fall within one minute, so that one Postgres is woken up once for all of them", () => {
    const turns = ids.map((id) => nextTurn(NOON + HOUR_MS, EVERY_MS, id) - (NOON + EVERY_MS));
    expect(Math.min(...turns)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...turns)).toBeLessThan(60_000);
    expect(new Set(turns).size).toBeGreaterThan(400);
  });

  it("come once a period, at the same moment of it", () => {
    for (const id of ids.slice(0, 20)) {
      const first = nextTurn(NOON, EVERY_MS, id);
      expect(nextTurn(first, EVERY_MS, id)).toBe(first + EVERY_MS);
      expect(nextTurn(first - 1, EVERY_MS, id)).toBe(first);
    }
  });
});

describe("an archive that failed", () => {
  it.each([
    [1, 30_000, 60_000],
    [2, 60_000, 120_000],
    [5, 480_000, 960_000],
    [7, 1_800_000, 3_600_000],
    [1_000, 1_800_000, 3_600_000],
  ])("is tried again after %s failures in %s to %s ms", (attempts, least, most) => {
    expect(retryAt(attempts, NOON, 0) - NOON).toBe(least);
    expect(retryAt(attempts, NOON, 1) - NOON).toBe(most);
  });
});

describe("an event's id", () => {
  const never = { days: 7, historyDays: 90, loweredAt: 0, earlierDays: 0 };
  const lowered = { days: 1, historyDays: 90, loweredAt: NOON, earlierDays: 7 };

  it.each([
    ["by the days that are set", never, NOON, 7],
    ["by the earlier days for one made before they were lowered", lowered, NOON - HOUR_MS, 7],
    ["by the new days for one made after", lowered, NOON + HOUR_MS, 1],
    ["by the new days when they were raised", { ...lowered, days: 30 }, NOON - HOUR_MS, 30],
  ])("is known %s", (_, retention, madeAt, days) => {
    expect(eventKeptUntil(retention, madeAt)).toBe(madeAt + days * DAY_MS);
  });

  it("is never forgotten before that, whenever the days were lowered", () => {
    for (const retention of [never, lowered, { ...lowered, days: 30 }]) {
      for (let hours = -200; hours < 200; hours += 7) {
        const madeAt = NOON + hours * HOUR_MS;
        for (let later = 0; later < 900; later += 5) {
          const now = madeAt + later * HOUR_MS;
          if (madeAt < eventsHorizon(retention, now))
            expect(eventKeptUntil(retention, madeAt)).toBeLessThanOrEqual(now);
        }
      }
    }
  });
});

describe("a look after history that is under way", () => {
  it("is taken up again a minute after it was last heard of, and not sooner", () => {
    const clock = new HistoryClock(EVERY_MS);
    // Nothing is read of the environment meanwhile.
    const context = {} as EnvironmentContext;
    clock.begin(NOON);
    expect(clock.next(context)).toBe(NOON + 60_000);
    clock.begin(NOON + 60_000);
    expect(clock.next(context)).toBe(NOON + 120_000);
  });

  it("never comes by itself when it is for demand only", () => {
    expect(new HistoryClock(0).next({} as EnvironmentContext)).toBeNull();
  });
});
