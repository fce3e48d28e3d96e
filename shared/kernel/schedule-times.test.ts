// Due times of schedules: the rules one by one, and a year of times beside another library's.
import { CronExpressionParser } from "cron-parser";
import { describe, expect, it } from "vitest";
import { cronProblem, isTimeZone, latestTime, nextTime, nextTimes, type Timing } from "./schedule-times.ts";

const at = (text: string) => Date.parse(text);
const iso = (times: readonly number[]) => times.map((time) => new Date(time).toISOString().replace(":00.000Z", "Z"));
const next = (cron: string, timezone: string, after: string, count: number) =>
  iso(nextTimes({ cron, timezone }, at(after), count));

const HOUR_MS = 3_600_000;
const [FROM, UNTIL] = [at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z")];
const ZONES = [
  "UTC",
  "America/New_York",
  "Europe/Berlin",
  "Asia/Kolkata",
  "Australia/Adelaide",
  "America/Santiago",
] as const;
const CRONS = [
  "*/30 * * * *",
  "7,37 * * * *",
  "0 * * * 1-5",
  "15 */2 * * *",
  "0 0 * * *",
  "30 1 * * *",
  "30 2 * * *",
  "0 3 * * SUN",
  "5 4 1 * *",
  "0 9-17 * * MON-FRI",
  "*/20 8,20 * * *",
  "0 12 1,15 * *",
  "59 23 31 * *",
  "0 0 29 2 *",
  "0 6 * JAN-MAR,oct *",
  "45 23 * * 6,0",
  "0 0 13 * 5",
  "10-14 5 * * 7",
  "0 22 * 3-12/3 *",
  "1 1 1 1 *",
];

/** The moments of the year at which a zone's clock changes, to the minute. */
function changesOf(timezone: string): number[] {
  const format = new Intl.DateTimeFormat("en", { timeZone: timezone, timeZoneName: "longOffset" });
  const offset = (time: number) => format.formatToParts(time).find(({ type }) => type === "timeZoneName")?.value;
  const changes: number[] = [];
  for (let time = FROM; time < UNTIL; time += HOUR_MS / 2) {
    if (offset(time) !== offset(time + HOUR_MS / 2)) changes.push(time + HOUR_MS / 2);
  }
  return changes;
}

describe("a year of times", () => {
  it.each(ZONES)(
    "agrees with cron-parser's in %s, for twenty crons",
    (timezone) => {
      const changes = changesOf(timezone);
      // At clock changes each library follows its own rules; the tests below hold ours.
      const comparable = (time: number) => changes.every((change) => Math.abs(time - change) > 4 * HOUR_MS);
      for (const cron of CRONS) {
        const ours: number[] = [];
        for (let time = nextTime({ cron, timezone }, FROM); time !== null && time < UNTIL; ) {
          ours.push(time);
          time = nextTime({ cron, timezone }, time);
        }
        const theirs: number[] = [];
        const parser = CronExpressionParser.parse(cron, { currentDate: new Date(FROM), tz: timezone });
        for (let time = parser.next().getTime(); time < UNTIL; time = parser.next().getTime()) theirs.push(time);
        expect(iso(ours.filter(comparable)), cron).toEqual(iso(theirs.filter(comparable)));
      }
    },
    120_000,
  );

  it("has zones whose clocks change, and crons that are due then", () => {
    expect(ZONES.map((zone) => changesOf(zone).length)).toEqual([0, 2, 2, 0, 2, 2]);
  });
});

describe("a clock put forward", () => {
  it("makes a skipped time due once, right after", () => {
    expect(next("30 2 * * *", "America/New_York", "2026-03-07T12:00:00Z", 2)).toEqual([
      "2026-03-08T07:00Z",
      "2026-03-09T06:30Z",
    ]);
    expect(next("*/15 2 * * *", "America/New_York", "2026-03-07T12:00:00Z", 2)).toEqual([
      "2026-03-08T07:00Z",
      "2026-03-09T06:00Z",
    ]);
    // The gap includes midnight itself.
    expect(next("0 0 * * *", "America/Santiago", "2026-09-05T12:00:00Z", 2)).toEqual([
      "2026-09-06T04:00Z",
      "2026-09-07T03:00Z",
    ]);
  });

  it("leaves a cron of every hour on elapsed time", () => {
    expect(next("*/30 * * * *", "America/New_York", "2026-03-08T06:00:00Z", 4)).toEqual([
      "2026-03-08T06:30Z",
      "2026-03-08T07:00Z",
      "2026-03-08T07:30Z",
      "2026-03-08T08:00Z",
    ]);
  });
});

describe("a clock put back", () => {
  it("makes a repeated time due the first time only", () => {
    expect(next("30 1 * * *", "America/New_York", "2026-10-31T12:00:00Z", 2)).toEqual([
      "2026-11-01T05:30Z",
      "2026-11-02T06:30Z",
    ]);
    expect(next("0 1-3 * * *", "Europe/Berlin", "2026-10-24T22:30:00Z", 4)).toEqual([
      "2026-10-24T23:00Z",
      "2026-10-25T00:00Z",
      "2026-10-25T02:00Z",
      "2026-10-26T00:00Z",
    ]);
  });

  it("makes a cron of every hour due in both hours", () => {
    expect(next("0 * * * *", "America/New_York", "2026-11-01T04:30:00Z", 3)).toEqual([
      "2026-11-01T05:00Z",
      "2026-11-01T06:00Z",
      "2026-11-01T07:00Z",
    ]);
  });

  it("counts when it moves by half an hour", () => {
    expect(next("15 * * * *", "Australia/Lord_Howe", "2026-04-04T13:30:00Z", 3)).toEqual([
      "2026-04-04T14:15Z",
      "2026-04-04T15:45Z",
      "2026-04-04T16:45Z",
    ]);
  });
});

describe("a rate", () => {
  const rate: Timing = { everyMs: 10 * 60_000, from: at("2026-05-01T10:03:00Z") };
  it("falls due a whole period after it began, and then without drift", () => {
    expect(iso(nextTimes(rate, at("2026-05-01T10:03:00Z"), 2))).toEqual(["2026-05-01T10:13Z", "2026-05-01T10:23Z"]);
    expect(iso(nextTimes(rate, at("2026-05-01T10:13:00.001Z"), 1))).toEqual(["2026-05-01T10:23Z"]);
    expect(iso(nextTimes(rate, at("2026-06-01T00:00:00Z"), 1))).toEqual(["2026-06-01T00:03Z"]);
    expect(iso(nextTimes(rate, at("2020-01-01T00:00:00Z"), 1))).toEqual(["2026-05-01T10:13Z"]);
  });

  it("has a latest time, but never the moment it began", () => {
    const latest = (after: string, until: string) => latestTime(rate, at(after), at(until));
    expect(latest("2026-05-01T10:03:00Z", "2026-05-01T10:12:59Z")).toBeNull();
    expect(latest("2026-05-01T10:03:00Z", "2026-05-01T10:33:00Z")).toBe(at("2026-05-01T10:33:00Z"));
    expect(latest("2026-05-01T10:33:00Z", "2026-05-01T10:34:00Z")).toBeNull();
  });
});

describe("the latest time of a cron", () => {
  it.each([
    ["* * * * *", "2026-05-01T00:00:00Z", "2026-05-01T01:30:20Z", "2026-05-01T01:30:00Z"],
    ["* * * * *", "2020-05-01T00:00:00Z", "2026-05-01T01:30:00Z", "2026-05-01T01:30:00Z"],
    ["0 9 * * *", "2026-04-01T00:00:00Z", "2026-05-01T08:59:59Z", "2026-04-30T09:00:00Z"],
    ["0 0 1 1 *", "2020-01-01T00:00:00Z", "2026-05-01T00:00:00Z", "2026-01-01T00:00:00Z"],
    ["0 0 29 2 *", "2020-03-01T00:00:00Z", "2026-05-01T00:00:00Z", "2024-02-29T00:00:00Z"],
    ["0 9 * * *", "2026-05-01T09:00:00Z", "2026-05-02T08:00:00Z", null],
  ])("comes by %s after %s until %s: %s", (cron, after, until, latest) => {
    const found = latestTime({ cron, timezone: "UTC" }, at(after), at(until));
    expect(found === null ? null : new Date(found).toISOString().replace(".000Z", "Z")).toBe(latest);
  });
});

describe("the check of a cron", () => {
  it.each([
    ["61 * * * *", 'the minute "61"'],
    ["*/0 * * * *", 'the minute "*/0"'],
    ["5-1 * * * *", 'the minute "5-1"'],
    ["1,,2 * * * *", 'the minute "1,,2"'],
    ["-1 * * * *", 'the minute "-1"'],
    ["? * * * *", 'the minute "?"'],
    ["0 24 * * *", 'the hour "24"'],
    ["0 0 0 * *", 'the day of the month "0"'],
    ["0 0 L * *", 'the day of the month "L"'],
    ["0 0 15W * *", 'the day of the month "15W"'],
    ["0 0 * 13 *", 'the month "13"'],
    ["0 0 * foo *", 'the month "foo"'],
    ["0 0 * * 8", 'the day of the week "8"'],
    ["0 0 * * JAN", 'the day of the week "JAN"'],
    ["0 0 * * MON#2", 'the day of the week "MON#2"'],
    ["0 0 30 2 *", "never comes"],
    ["0 0 31 2,4 *", "never comes"],
    ["* * * *", "has 4 fields"],
    ["0 0 * * * *", "has 6 fields"],
    ["@daily", "has 1 field,"],
    ["", "has 1 field,"],
  ])("refuses %s, and names the field", (cron, message) => {
    expect(cronProblem(cron)).toContain(message);
  });

  it.each([...CRONS, "  0   9 * * 1  ", "0 0 29 2 1", "0 0 31 1,2 *", "0 0 * * 0-7"])("accepts %s", (cron) => {
    expect(cronProblem(cron)).toBeNull();
  });
});

describe("the check of a time zone", () => {
  it.each(["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+3"])("accepts %s", (zone) => {
    expect(isTimeZone(zone)).toBe(true);
  });
  it.each(["", "Mars/Olympus", "+02:00", "Europe/Berlin ", "europe\u0000"])("refuses %s", (zone) => {
    expect(isTimeZone(zone)).toBe(false);
  });
});
