// The schedules of an environment: those its workflows registered and those of the organization. This object is the whole
// truth about them; a ScheduleBook (workers/scheduler) only asks it, at the right minute, to emit what is due.
//
// Promise 4 is kept here: the event of a schedule and the time up to which it was emitted are written in one transaction,
// so a call that comes twice, late, out of order or after a crash emits a time at most once, and the latest one always.
// What was missed in between is not made up for. Tests: tests/workerd/schedules.test.ts.

import type { AcceptedEvent, NewEvent } from "../../../shared/api/events.ts";
import type { ScheduleDetails, SchedulesPage, SchedulesQuery } from "../../../shared/api/schedule-details.ts";
import type { EnvironmentState } from "../../../shared/contracts/environment.ts";
import type { Held } from "../../../shared/contracts/schedule-book.ts";
import { latestTime, nextTime, nextTimes, type Timing } from "../../../shared/kernel/schedule-times.ts";
import { acceptEvent, CUSTOM, type Routing } from "../events/accept-event.ts";
import type { Turn } from "../state/commits.ts";
import type { EnvironmentContext } from "../state/context.ts";
import type { Workflow } from "../state/workflows.ts";
import { receivesSchedules } from "../storage/settings.ts";

/** What `scheduleEvent` of the reference client listens for. */
const SCHEDULED_EVENT = "scheduled-event";
const MINUTE_MS = 60_000;
/** An event that is emitted this long after its time says so. */
const LATE_MS = MINUTE_MS;
const TIMES_SHOWN = 5;
/** No one else makes an event of these ids, so there is no content to tell apart. */
const NO_DIGEST = new Uint8Array(16);

interface ScheduleRow extends Record<string, SqlStorageValue> {
  id: string;
  workflow: number | null;
  name: string | null;
  timing: string;
  event: string;
  payload: string | null;
  live: number;
  enabled: number;
  next_at: number | null;
  last_at: number | null;
}

const workflowSchedule = (slug: string) => `workflow:${slug}`;

// ---- What there is ----

/** Takes over what a workflow has registered, if that is a schedule; and drops what it had before, if it no longer is. */
export function scheduleWorkflow(context: EnvironmentContext, turn: Turn, workflow: Workflow, now: number): void {
  const { sql } = context;
  const id = workflowSchedule(workflow.slug);
  const known = read(sql, id);
  const { trigger } = workflow.definition;
  if (trigger.type !== "SCHEDULE") {
    if (known?.live === 1) unscheduleWorkflow(context, turn, workflow.slug, now);
    return;
  }
  const timing = timingOf(trigger.source, known, now);
  const text = JSON.stringify(timing);
  if (known?.live === 1 && known.timing === text) return;
  sql.exec(
    `INSERT INTO schedules (id, workflow, timing, event, live) VALUES (?, ?, ?, ?, 1)
     ON CONFLICT DO UPDATE SET workflow = excluded.workflow, timing = excluded.timing, live = 1`,
    id,
    workflow.number,
    text,
    SCHEDULED_EVENT,
  );
  retime(sql, id, now);
  oweWake(context, turn, now);
}

/** The row stays: should the workflow come back, no time that was emitted is emitted again. */
export function unscheduleWorkflow(context: EnvironmentContext, turn: Turn, slug: string, now: number): void {
  const { sql } = context;
  const gone = sql.exec(
    "UPDATE schedules SET live = 0, next_at = NULL WHERE id = ? AND live = 1",
    workflowSchedule(slug),
  );
  if (gone.rowsWritten > 0) oweWake(context, turn, now);
}

type Source = Extract<Workflow["definition"]["trigger"], { type: "SCHEDULE" }>["source"];

/** A rate counts from the minute it was first registered in, whatever it is registered again for. */
function timingOf(source: Source, known: ScheduleRow | undefined, now: number): Timing {
  if ("cron" in source) return { cron: source.cron, timezone: "UTC" };
  const { rateOf } = source;
  const minutes = "minutes" in rateOf ? rateOf.minutes : "hours" in rateOf ? rateOf.hours * 60 : rateOf.days * 1440;
  const everyMs = minutes * MINUTE_MS;
  const before = known === undefined ? null : (JSON.parse(known.timing) as Timing);
  if (before !== null && "everyMs" in before && before.everyMs === everyMs) return before;
  return { everyMs, from: Math.floor(now / MINUTE_MS) * MINUTE_MS };
}

/**
 * Takes over the organization's schedules and whether any reach this environment, as the control plane told. Answers
 * whether the book has to be told. `received`: whether they reached it before.
 */
export function takeSchedules(sql: SqlStorage, state: EnvironmentState, received: boolean, now: number): boolean {
  let changed = false;
  const told = state.schedules ?? [];
  const stay = JSON.stringify(told.map(({ id }) => id));
  const dropped = sql.exec(
    "DELETE FROM schedules WHERE workflow IS NULL AND id NOT IN (SELECT value FROM json_each(?))",
    stay,
  );
  if (dropped.rowsWritten > 0) changed = true;
  for (const { id, name, cron, timezone, event, payload, enabled } of told) {
    const timing = JSON.stringify({ cron, timezone } satisfies Timing);
    const known = read(sql, id);
    const sameTimes = known?.timing === timing && known.live === (enabled ? 1 : 0);
    if (sameTimes && known.event === event && known.payload === payload && known.name === name) continue;
    sql.exec(
      `INSERT INTO schedules (id, name, timing, event, payload, live) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET name = excluded.name, timing = excluded.timing, event = excluded.event,
         payload = excluded.payload, live = excluded.live`,
      id,
      name,
      timing,
      event,
      payload,
      enabled ? 1 : 0,
    );
    // Another name or payload moves no time: what is due just now is still due.
    if (sameTimes) continue;
    retime(sql, id, now);
    changed = true;
  }
  if (received !== receivesSchedules(sql)) {
    for (const { id } of sql.exec<{ id: string }>("SELECT id FROM schedules").toArray()) retime(sql, id, now);
    changed = true;
  }
  return changed;
}

/** Switches one schedule of this environment on or off. False when there is none. What came due while off is past. */
export function switchSchedule(
  context: EnvironmentContext,
  turn: Turn,
  id: string,
  enabled: boolean,
  now: number,
): boolean {
  const { sql } = context;
  const row = shown(context, id);
  if (!row) return false;
  if ((row.enabled === 1) === enabled) return true;
  sql.exec("UPDATE schedules SET enabled = ? WHERE id = ?", enabled ? 1 : 0, id);
  retime(sql, id, now);
  oweWake(context, turn, now);
  return true;
}

/** Computes anew when a schedule is due next, from now on. */
function retime(sql: SqlStorage, id: string, now: number): void {
  const row = read(sql, id);
  if (!row) return;
  const on = row.live === 1 && row.enabled === 1 && receivesSchedules(sql);
  const next = on ? nextTime(JSON.parse(row.timing) as Timing, Math.max(now, row.last_at ?? 0)) : null;
  sql.exec("UPDATE schedules SET next_at = ? WHERE id = ?", next, id);
}

function read(sql: SqlStorage, id: string): ScheduleRow | undefined {
  return sql.exec<ScheduleRow>("SELECT * FROM schedules WHERE id = ?", id).toArray()[0];
}

/** One that people see: a workflow's only while it is registered. */
function shown({ sql }: EnvironmentContext, id: string): ScheduleRow | undefined {
  const row = read(sql, id);
  return row && (row.workflow === null || row.live === 1) ? row : undefined;
}

// ---- What is due ----

/** The first time at which something is due; null for never. */
export function nextScheduledTime(sql: SqlStorage): number | null {
  return sql.exec<{ due: number | null }>("SELECT min(next_at) AS due FROM schedules").one().due;
}

/** The schedules that are due, the longest due first. */
export function dueSchedules({ sql }: EnvironmentContext, time: number): string[] {
  return sql
    .exec<{ id: string }>("SELECT id FROM schedules WHERE next_at <= ? ORDER BY next_at, id", time)
    .toArray()
    .map(({ id }) => id);
}

/** Emits a schedule that is due by `time`, for the latest of its times. False when another call has done so. */
export function emitSchedule(context: EnvironmentContext, turn: Turn, id: string, time: number, now: number): boolean {
  const { sql } = context;
  const row = read(sql, id);
  if (!row || row.next_at === null || row.next_at > time) return false;
  const timing = JSON.parse(row.timing) as Timing;
  // On a tick that comes in time this is all there is to compute: a cron costs a tenth of a millisecond.
  const following = nextTime(timing, row.next_at);
  const missed = following !== null && following <= time;
  const scheduled = missed ? (latestTime(timing, following - 1, time) ?? following) : row.next_at;
  const next = missed ? nextTime(timing, scheduled) : following;
  const event = eventOf(row, scheduled, now);
  const origin = originOf(row, false);
  const named = { ...event, id: `${id}:${new Date(scheduled).toISOString()}` };
  const first = acceptEvent(context, turn, named, origin, now);
  // A sender has used the very id for something else. It is not the sender who decides what a schedule emits.
  const outcome = first.outcome === "conflict" ? acceptEvent(context, turn, event, origin, now) : first;
  if (outcome.outcome !== "accepted") throw new Error("a schedule's event was not accepted");
  sql.exec("UPDATE schedules SET last_at = ?, next_at = ? WHERE id = ?", scheduled, next, id);
  return true;
}

/** Emits a schedule now, as a test. It changes nothing of when it is due. Null when there is none. */
export function fireSchedule(context: EnvironmentContext, turn: Turn, id: string, now: number): AcceptedEvent | null {
  const row = shown(context, id);
  if (!row) return null;
  const outcome = acceptEvent(context, turn, eventOf(row, now, now), originOf(row, true), now);
  if (outcome.outcome !== "accepted") throw new Error("a schedule's event was not accepted");
  return outcome.event;
}

/** The reference client's form for a workflow's schedule; the organization's has the payload that it was given. */
function eventOf(row: ScheduleRow, scheduled: number, now: number): NewEvent {
  const times = {
    scheduledTime: new Date(scheduled).toISOString(),
    ...(row.last_at !== null && { lastRunAt: new Date(row.last_at).toISOString() }),
  };
  const late = now - scheduled >= LATE_MS;
  const schedule = { id: row.id, ...(row.name !== null && { name: row.name }), ...times, ...(late && { late }) };
  return {
    id: null,
    name: row.event,
    payload: row.payload ?? JSON.stringify(times),
    context: JSON.stringify({ schedule }),
    timestamp: scheduled,
    delay: null,
    digest: NO_DIGEST,
  };
}

function originOf({ workflow }: ScheduleRow, isTest: boolean): Routing {
  if (workflow === null) return { ...CUSTOM, isTest };
  return { kind: "SCHEDULE", service: "scheduler", isTest, only: [workflow] };
}

// ---- What the book is told ----
//
// A change of what is due next is owed to the book from the transaction that made it, until the book has confirmed it.

const FIRST_WAIT_MS = 5_000;
const LONGEST_WAIT_MS = 300_000;

interface OwedWake extends Record<string, SqlStorageValue> {
  version: number;
  attempts: number;
}

function oweWake(context: EnvironmentContext, turn: Turn, now: number): void {
  writeOwedWake(context.sql, context.nextNumber(), now);
  turn.afterwards(() => context.wake());
}

/** Should the object be lost before the call after the commit was made, its alarm makes it: nobody else may come. */
export function writeOwedWake(sql: SqlStorage, version: number, now: number): void {
  sql.exec("INSERT OR REPLACE INTO owed_wake VALUES (1, ?, 0, ?)", version, now + FIRST_WAIT_MS);
}

export function owedWake(sql: SqlStorage): OwedWake | undefined {
  return sql.exec<OwedWake>("SELECT version, attempts FROM owed_wake").toArray()[0];
}

export function nextOwedWake({ sql }: EnvironmentContext): number | null {
  return sql.exec<{ due: number | null }>("SELECT min(due_at) AS due FROM owed_wake").one().due;
}

/**
 * The book has answered; a change that was made meanwhile is still owed. So is this one when the book took it for older
 * than what it holds: the clock, by which versions are counted, has gone back. False then: it is to be told again.
 */
export function settleWake(sql: SqlStorage, told: Held, held: Held): boolean {
  if (held.at === told.at) {
    sql.exec("DELETE FROM owed_wake WHERE version = ?", told.version);
    return true;
  }
  sql.exec("UPDATE owed_wake SET version = ? WHERE version = ?", held.version + 1, told.version);
  return false;
}

export function postponeWake(sql: SqlStorage, now: number): void {
  const attempts = owedWake(sql)?.attempts ?? 0;
  const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(attempts, 10));
  sql.exec("UPDATE owed_wake SET attempts = attempts + 1, due_at = ?", now + wait);
}

// ---- What people see ----

/** A page of the schedules by id. */
export function listSchedules(context: EnvironmentContext, query: SchedulesQuery, now: number): SchedulesPage {
  const { limit, cursor } = query;
  const rows = context.sql
    .exec<ScheduleRow>(
      "SELECT * FROM schedules WHERE id > ? AND (workflow IS NULL OR live = 1) ORDER BY id LIMIT ?",
      cursor ?? "",
      limit + 1,
    )
    .toArray();
  const data = rows.slice(0, limit).map((row) => scheduleDetails(context, row, now));
  return { data, next: rows.length > limit ? (rows[limit - 1]?.id ?? null) : null };
}

export function readSchedule(context: EnvironmentContext, id: string, now: number): ScheduleDetails | null {
  const row = shown(context, id);
  return row ? scheduleDetails(context, row, now) : null;
}

function scheduleDetails({ workflows }: EnvironmentContext, row: ScheduleRow, now: number): ScheduleDetails {
  const timing = JSON.parse(row.timing) as Timing;
  const cron = "cron" in timing ? timing : null;
  const times = row.next_at === null ? [] : nextTimes(timing, Math.max(now, row.next_at - 1), TIMES_SHOWN);
  return {
    id: row.id,
    workflow: row.workflow === null ? null : (workflows.byNumber(row.workflow)?.slug ?? null),
    name: row.name,
    cron: cron?.cron ?? null,
    timezone: cron?.timezone ?? null,
    everySeconds: "everyMs" in timing ? timing.everyMs / 1_000 : null,
    event: row.event,
    enabled: row.enabled === 1 && (row.workflow !== null || row.live === 1),
    lastRunAt: row.last_at === null ? null : new Date(row.last_at).toISOString(),
    nextTimes: times.map((time) => new Date(time).toISOString()),
  };
}
