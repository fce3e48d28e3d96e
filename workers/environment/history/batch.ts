// What goes to Postgres next, read off the tables by a cursor: no copies are kept for it, and no run has a mark. The cursor
// goes through the numbers in order. What has not ended when it comes by is written down as passed and looked for again.
//
// Nothing counts as archived before the archive has confirmed it: only then is the cursor moved (`applyProgress`). Cut off
// in between, the same rows are stored again, which changes nothing.

import type { RunStatus } from "../../../shared/api/runs.ts";
import type { ArchivedEvent, ArchivedRows, ArchivedRun, ArchivedSteps } from "../../../shared/contracts/archive.ts";
import { sequenceTime } from "../../../shared/ids/ids.ts";
import {
  ARCHIVE_WAITS_FOR_RUN_MS,
  ARCHIVED_AT_ONCE_CHARS,
  ARCHIVED_AT_ONCE_ROWS,
} from "../../../shared/kernel/limits.ts";
import { endRun } from "../runs/run-rows.ts";
import type { Turn } from "../state/commits.ts";
import type { EnvironmentContext } from "../state/context.ts";
import { readHistory } from "../storage/history-cursor.ts";
import type { StepRow } from "../storage/rows.ts";
import { EVENT_COLUMNS, type EventRow, summarizeUnended } from "../views/events.ts";
import { task } from "../views/run.ts";
import { type RunWithEvent, runsWithEvent, summarizeRow } from "../views/runs.ts";

/** What is true once a batch is stored. */
interface Progress {
  eventsUntil: number;
  runsUntil: number;
  readonly passedEvents: number[];
  readonly passedRuns: number[];
  readonly doneEvents: number[];
  readonly doneRuns: number[];
}

export interface Batch {
  readonly rows: ArchivedRows;
  readonly progress: Progress;
}

/** Room for a number of rows and characters. The first row is always taken. */
class Room {
  #rows = ARCHIVED_AT_ONCE_ROWS;
  #chars = ARCHIVED_AT_ONCE_CHARS;
  #taken = false;

  take(rows: number, chars: number): boolean {
    if (this.#taken && (rows > this.#rows || chars > this.#chars)) return false;
    this.#rows -= rows;
    this.#chars -= chars;
    this.#taken = true;
    return true;
  }
}

/**
 * The next batch; null when there is nothing to store and nothing to pass. `patient`: stops before a young run that has
 * not ended, which will have by the next time. Sizes are read before rows, and every query is read to its end: one that
 * was left would hold on to the database.
 */
export function nextBatch(context: EnvironmentContext, look: Look, patient: boolean, now: number): Batch | null {
  const { events_until: eventsUntil, runs_until: runsUntil } = readHistory(context.sql);
  const progress: Progress = {
    eventsUntil,
    runsUntil,
    passedEvents: [],
    passedRuns: [],
    doneEvents: [],
    doneRuns: [],
  };
  const room = new Room();
  const events = gatherEvents(context, look, progress, room);
  const runs = gatherRuns(context, look, progress, room, patient ? now - ARCHIVE_WAITS_FOR_RUN_MS : now);
  const moved = progress.eventsUntil > eventsUntil || progress.runsUntil > runsUntil;
  return events.length === 0 && runs.runs.length === 0 && !moved ? null : { rows: { events, ...runs }, progress };
}

/** In the same transaction as whatever else the turn does. */
export function applyProgress({ sql }: EnvironmentContext, progress: Progress): void {
  const { eventsUntil, runsUntil, passedEvents, passedRuns, doneEvents, doneRuns } = progress;
  sql.exec("UPDATE history SET events_until = ?, runs_until = ?", eventsUntil, runsUntil);
  const each = (query: string, numbers: readonly number[]) => {
    if (numbers.length > 0) sql.exec(query, JSON.stringify(numbers));
  };
  each("INSERT INTO passed_events SELECT value FROM json_each(?)", passedEvents);
  each("INSERT INTO passed_runs SELECT value FROM json_each(?)", passedRuns);
  each("DELETE FROM passed_events WHERE event IN (SELECT value FROM json_each(?))", doneEvents);
  each("DELETE FROM passed_runs WHERE run IN (SELECT value FROM json_each(?))", doneRuns);
}

/** How far one look has come through what was passed: each is asked once, however many batches the look has. */
export interface Look {
  eventsAfter: number;
  runsAfter: number;
}

interface Sized extends Record<string, SqlStorageValue> {
  id: number;
  size: number;
  /** 1 for what has not ended. */
  open: number;
}

interface FullEventRow extends EventRow {
  payload: string;
  context: string | null;
}

function gatherEvents(context: EnvironmentContext, look: Look, progress: Progress, room: Room): ArchivedEvent[] {
  const { sql } = context;
  const sized = "octet_length(payload) + octet_length(coalesce(context, '')) AS size";
  const taken: number[] = [];
  const passed = sql
    .exec<Sized>(
      // CROSS: the few that were passed are looked up among all, and not the other way round.
      `SELECT id, ${sized}, 0 AS open FROM passed_events CROSS JOIN events ON id = event
       WHERE event > ? AND waits_until IS NULL ORDER BY event LIMIT ?`,
      look.eventsAfter,
      ARCHIVED_AT_ONCE_ROWS,
    )
    .toArray();
  const following = sql
    .exec<Sized>(
      `SELECT id, ${sized}, waits_until IS NOT NULL AS open FROM events WHERE id > ? ORDER BY id LIMIT ?`,
      progress.eventsUntil,
      ARCHIVED_AT_ONCE_ROWS,
    )
    .toArray();
  for (const { id, size } of passed) {
    if (!room.take(1, size)) break;
    taken.push(id);
    progress.doneEvents.push(id);
    look.eventsAfter = id;
  }
  if (passed.length === 0) look.eventsAfter = Number.MAX_SAFE_INTEGER;
  for (const { id, size, open } of following) {
    if (open === 1) progress.passedEvents.push(id);
    else if (room.take(1, size)) taken.push(id);
    else break;
    progress.eventsUntil = id;
  }
  return sql
    .exec<FullEventRow>(
      `SELECT ${EVENT_COLUMNS}, payload, context FROM events WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id`,
      JSON.stringify(taken),
    )
    .toArray()
    .map((row) => {
      const { id, sender_id: senderId, name, kind, payload, context: about } = row;
      return { id, senderId, name, kind, summary: summarizeUnended(context, row), payload, context: about };
    });
}

type RunsAndSteps = Pick<ArchivedRows, "runs" | "steps">;

/** A run with more steps than one part has is alone: all but its last part are stored before it (`earlierParts`). */
function gatherRuns(
  context: EnvironmentContext,
  look: Look,
  progress: Progress,
  room: Room,
  passedIfBefore: number,
): RunsAndSteps {
  const { sql } = context;
  const sized = "octet_length(coalesce(output, '')) + octet_length(coalesce(error, '')) AS size";
  const passed = sql
    .exec<Sized>(
      `SELECT id, ${sized}, 0 AS open FROM passed_runs CROSS JOIN runs ON id = run
       WHERE run > ? AND finished_at IS NOT NULL ORDER BY run LIMIT ?`,
      look.runsAfter,
      ARCHIVED_AT_ONCE_ROWS,
    )
    .toArray();
  const following = sql
    .exec<Sized>(
      `SELECT id, ${sized}, finished_at IS NULL AS open FROM runs WHERE id > ? ORDER BY id LIMIT ?`,
      progress.runsUntil,
      ARCHIVED_AT_ONCE_ROWS,
    )
    .toArray();
  const taken = new Map<number, Part | undefined>();
  const take = ({ id, size }: Sized): boolean => {
    const parts = partsOfSteps(sql, id);
    const last = parts.at(-1);
    if (!room.take(last === undefined ? 1 : 2, size + parts.reduce((sum, part) => sum + part.size, 0))) return false;
    taken.set(id, last);
    return true;
  };
  for (const run of passed) {
    if (!take(run)) break;
    progress.doneRuns.push(run.id);
    look.runsAfter = run.id;
  }
  if (passed.length === 0) look.runsAfter = Number.MAX_SAFE_INTEGER;
  for (const run of following) {
    if (run.open === 0) {
      if (!take(run)) break;
    } else if (sequenceTime(run.id) > passedIfBefore) break;
    else progress.passedRuns.push(run.id);
    progress.runsUntil = run.id;
  }
  const rows = sql
    .exec<RunWithEvent>(
      `${runsWithEvent("r.output")} WHERE r.id IN (SELECT value FROM json_each(?)) ORDER BY r.id`,
      JSON.stringify([...taken.keys()]),
    )
    .toArray();
  return {
    runs: rows.map((row) => describeRun(context, row)),
    steps: [...taken].flatMap(([run, last]) => (last === undefined ? [] : readPart(sql, run, last))),
  };
}

function describeRun(context: EnvironmentContext, row: RunWithEvent): ArchivedRun {
  const summary = summarizeRow(context, row, row.finished_at ?? 0);
  const { started_at: started, finished_at: finished } = row;
  return {
    id: row.id,
    event: row.event,
    workflow: summary.workflow.slug,
    status: row.status as RunStatus,
    isTest: summary.isTest,
    durationMs: started === null || finished === null ? null : Math.max(0, finished - started),
    summary: JSON.stringify(summary),
    output: row.output,
  };
}

interface Part {
  readonly number: number;
  readonly from: number;
  readonly count: number;
  readonly size: number;
}

/** A run's steps in the order in which they are shown, in parts of about ARCHIVED_AT_ONCE_CHARS; none without steps. */
function partsOfSteps(sql: SqlStorage, run: number): Part[] {
  const sizes = sql
    .exec<{ size: number }>(
      `SELECT octet_length(detail) + octet_length(coalesce(result, '')) AS size FROM steps WHERE run = ?
       ORDER BY created_at, key`,
      run,
    )
    .toArray();
  const parts: Part[] = [];
  for (const [at, { size }] of sizes.entries()) {
    const last = parts.at(-1);
    if (last === undefined || last.size + size > ARCHIVED_AT_ONCE_CHARS) {
      parts.push({ number: parts.length, from: at, count: 1, size });
    } else parts[parts.length - 1] = { ...last, count: last.count + 1, size: last.size + size };
  }
  return parts;
}

function readPart(sql: SqlStorage, run: number, { number, from, count }: Part): ArchivedSteps {
  const rows = sql
    .exec<StepRow>("SELECT * FROM steps WHERE run = ? ORDER BY created_at, key LIMIT ? OFFSET ?", run, count, from)
    .toArray();
  return { run, part: number, count: rows.length, body: rows.map(task).join(",") };
}

/** What has to be stored before a batch: the parts of steps that it has no room for, each read when it is asked for. */
export function* earlierParts({ sql }: EnvironmentContext, { rows }: Batch): Generator<ArchivedSteps, void> {
  for (const { run, part } of rows.steps) {
    for (const each of partsOfSteps(sql, run).slice(0, part)) yield readPart(sql, run, each);
  }
}

/**
 * Writes down the ends of runs that timed out while nobody was there to: some at once. Answers whether there may be more.
 * From their moment on every reader saw them as timed out.
 */
export function endTimedOut(context: EnvironmentContext, turn: Turn, now: number): boolean {
  const { sql, hosts, openRunIndex } = context;
  const end = (expired: readonly { id: number; expires_at: number }[]) => {
    for (const { id, expires_at } of expired) endRun(context, turn, id, { status: "TIMED_OUT" }, expires_at);
    return expired.length > 0;
  };
  end(openRunIndex.expired(now).filter(({ workflow }) => !hosts.serves(workflow)));
  for (let workflow = -1; ; ) {
    const next = sql
      .exec<{ workflow: number | null }>(
        "SELECT min(workflow) AS workflow FROM runs WHERE finished_at IS NULL AND indexed = 1 AND workflow > ?",
        workflow,
      )
      .one().workflow;
    if (next === null) return false;
    workflow = next;
    if (hosts.serves(workflow)) continue;
    const expired = sql
      .exec<{ id: number; expires_at: number }>(
        `SELECT id, expires_at FROM runs WHERE workflow = ? AND finished_at IS NULL AND indexed = 1 AND attempts = 0
         AND lost_in_a_row = 0 AND expires_at <= ? LIMIT ?`,
        workflow,
        now,
        ARCHIVED_AT_ONCE_ROWS,
      )
      .toArray();
    if (end(expired)) return true;
  }
}
