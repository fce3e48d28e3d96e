// Due times of schedules. A cron has the five fields of crontab(5) and follows the clock of its time zone; a rate
// counts from one moment and never drifts.
//
// Clock changes: a cron with `*` as its hour follows elapsed time. Any other cron names times of day: a skipped time is
// due once, right after the gap, and a repeated time is due the first time only.
//
// The arithmetic is croner's; docs/decisions/0009-schedules.md gives the reasons. Tests: schedule-times.test.ts, a year
// of times beside another library's.
import { Cron } from "croner";

/** A cron in an IANA time zone, or an interval in milliseconds from a moment on. Moments are Unix milliseconds. */
export type Timing =
  | { readonly cron: string; readonly timezone: string }
  | { readonly everyMs: number; readonly from: number };

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Distances of the search for the latest time, tried in turn: a cron that is often due is found at the first. */
const LOOKED_BACK_MS: readonly number[] = [
  MINUTE_MS,
  10 * MINUTE_MS,
  HOUR_MS,
  DAY_MS,
  32 * DAY_MS,
  366 * DAY_MS,
  9 * 366 * DAY_MS,
];

interface Field {
  readonly name: string;
  readonly takes: string;
  readonly names: readonly string[];
}
const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const FIELDS: readonly Field[] = [
  { name: "minute", takes: "0 to 59", names: [] },
  { name: "hour", takes: "0 to 23", names: [] },
  { name: "day of the month", takes: "1 to 31", names: [] },
  { name: "month", takes: "1 to 12 or JAN to DEC", names: MONTHS },
  { name: "day of the week", takes: "0 to 7 (0 and 7 are Sunday) or SUN to SAT", names: WEEKDAYS },
];

/** The mistake in a cron, naming the field; null when the cron can be used. */
export function cronProblem(cron: string): string | null {
  const fields = fieldsOf(cron);
  if (fields.length !== FIELDS.length) {
    const order = FIELDS.map(({ name }) => name).join(", ");
    return `has ${fields.length} ${fields.length === 1 ? "field" : "fields"}, and a cron has five: ${order}`;
  }
  for (const [at, field] of FIELDS.entries()) {
    const text = fields[at] ?? "";
    if (fieldIsGood(text, at, field)) continue;
    return `the ${field.name} "${text.slice(0, 40)}" cannot be used: it takes ${field.takes}, and of these lists (1,2), ranges (1-5) and steps (*/5)`;
  }
  if (nextTime({ cron, timezone: "UTC" }, Date.UTC(2025, 0, 1)) === null) {
    return `never comes: no month has this day ("${fields[2]} ${fields[3]}")`;
  }
  return null;
}

function fieldIsGood(text: string, at: number, { names }: Field): boolean {
  // Croner's further syntax (L, W, #, ?) is not crontab's, and other programs read it otherwise.
  if (!/^[\d*,/\-a-z]+$/i.test(text)) return false;
  if ((text.toLowerCase().match(/[a-z]+/g) ?? []).some((name) => !names.includes(name))) return false;
  const alone = FIELDS.map((_, other) => (other === at ? text : "*")).join(" ");
  try {
    parsed(alone, "UTC");
    return true;
  } catch {
    return false;
  }
}

/** True for an IANA time zone that this platform knows. */
export function isTimeZone(text: string): boolean {
  if (!/^[A-Za-z][\w+\-/]*$/.test(text)) return false;
  try {
    new Intl.DateTimeFormat("en", { timeZone: text });
    return true;
  } catch {
    return false;
  }
}

/** The first time after a moment; null when there is none. */
export function nextTime(timing: Timing, after: number): number | null {
  if ("everyMs" in timing) {
    const { everyMs, from } = timing;
    return from + Math.max(1, Math.floor((after - from) / everyMs) + 1) * everyMs;
  }
  const { cron, timezone } = timing;
  if (timezone === "UTC" || fieldsOf(cron)[1] === "*") return croner(cron, timezone, after);
  // Times of day, counted on a clock that never changes.
  let wall = wallTime(timezone, after);
  for (;;) {
    const next = croner(cron, "UTC", wall);
    if (next === null) return null;
    const time = timeOfWall(timezone, next);
    if (time > after) return time;
    wall = next;
  }
}

/** The next times after a moment, `count` at most. */
export function nextTimes(timing: Timing, after: number, count: number): number[] {
  const times: number[] = [];
  for (let time = nextTime(timing, after); time !== null && times.length < count; time = nextTime(timing, time)) {
    times.push(time);
  }
  return times;
}

/** The last time that is later than `after` and not later than `until`; null when there is none. */
export function latestTime(timing: Timing, after: number, until: number): number | null {
  if ("everyMs" in timing) {
    const { everyMs, from } = timing;
    const periods = Math.floor((until - from) / everyMs);
    const time = from + periods * everyMs;
    return periods >= 1 && time > after ? time : null;
  }
  for (const back of LOOKED_BACK_MS) {
    const start = Math.max(after, until - back);
    let latest: number | null = null;
    for (let time = nextTime(timing, start); time !== null && time <= until; time = nextTime(timing, time)) {
      latest = time;
    }
    if (latest !== null || start === after) return latest;
  }
  return null;
}

function fieldsOf(cron: string): string[] {
  return cron.trim().split(/\s+/);
}

const PARSED_MAX = 1_000;
const ANSWERS_MAX = 16;
/**
 * Keeps its last answers, by the moment asked about: at a tick, all schedules of one cron ask the same few questions.
 */
interface ParsedCron {
  readonly cron: Cron;
  readonly answers: Map<number, number | null>;
}
const parsedCrons = new Map<string, ParsedCron>();

/** Throws for a cron that croner refuses. */
function parsed(cron: string, timezone: string): ParsedCron {
  const key = `${timezone} ${cron}`;
  const known = parsedCrons.get(key);
  if (known) return known;
  const made = { cron: new Cron(cron, { timezone, mode: "5-part" }), answers: new Map() };
  if (parsedCrons.size >= PARSED_MAX) parsedCrons.clear();
  parsedCrons.set(key, made);
  return made;
}

function croner(cron: string, timezone: string, after: number): number | null {
  const known = parsed(cron.trim(), timezone);
  const answered = known.answers.get(after);
  if (answered !== undefined) return answered;
  const next = known.cron.nextRun(new Date(after))?.getTime() ?? null;
  if (known.answers.size >= ANSWERS_MAX) known.answers.clear();
  known.answers.set(after, next);
  return next;
}

const FORMATS_MAX = 600;
const formats = new Map<string, Intl.DateTimeFormat>();

/** The local time of a zone, as the Unix time at which a clock in UTC shows the same. */
function wallTime(timezone: string, time: number): number {
  let format = formats.get(timezone);
  if (!format) {
    const numeric = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" } as const;
    format = new Intl.DateTimeFormat("en-US", { timeZone: timezone, hourCycle: "h23", second: "2-digit", ...numeric });
    if (formats.size >= FORMATS_MAX) formats.clear();
    formats.set(timezone, format);
  }
  // "01/31/2026, 23:59:59"
  const [month = 1, day = 1, year = 1970, hour = 0, minute = 0, second = 0] = (
    format.format(time).match(/\d+/g) ?? []
  ).map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second) + (((time % 1_000) + 1_000) % 1_000);
}

/** The first moment at which the clock of a zone shows this; right after the gap if it never does. */
function timeOfWall(timezone: string, wall: number): number {
  const offset = (time: number) => wallTime(timezone, time) - time;
  const before = wall - offset(wall - DAY_MS);
  const after = wall - offset(wall + DAY_MS);
  for (const time of [Math.min(before, after), Math.max(before, after)]) {
    if (wallTime(timezone, time) === wall) return time;
  }
  // Inside a gap: the clock was put forward between these two.
  let [low, high] = [Math.min(before, after), Math.max(before, after)];
  const old = offset(low);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offset(middle) === old) low = middle;
    else high = middle;
  }
  return high;
}
