// How far the archive has come, and from where on Postgres has to be asked.

import { sequenceTime } from "../../../shared/ids/ids.ts";
import { ARCHIVE_RETRY_FIRST_MS } from "../../../shared/kernel/limits.ts";
import { nextTurn, retryAt } from "./history-times.ts";

const DAY_MS = 24 * 3_600_000;
/** A drain that was cut off is taken up again after this time. */
const CUT_OFF_AFTER_MS = ARCHIVE_RETRY_FIRST_MS;

export interface HistoryState extends Record<string, SqlStorageValue> {
  events_until: number;
  runs_until: number;
  events_forgotten_below: number;
  runs_forgotten_below: number;
  looked_at: number;
  archived_at: number | null;
  attempts: number;
  retry_at: number | null;
}

export function readHistory(sql: SqlStorage): HistoryState {
  return sql.exec<HistoryState>("SELECT * FROM history").one();
}

/** How long what has ended is kept here. */
export interface Retention {
  readonly days: number;
  readonly historyDays: number;
  /** When the days were last lowered, and from how many; 0 for never. */
  readonly loweredAt: number;
  readonly earlierDays: number;
}

/** The part of an environment's context that history is read from. */
interface Stored {
  readonly sql: SqlStorage;
  readonly identity: { readonly environmentId: string; readonly retention: Retention };
}

export const runsHorizon = ({ days }: Retention, now: number): number => now - days * DAY_MS;

/** Promise 1: a sender was told until when its event's id is known. A retention that was lowered does not break it. */
export function eventsHorizon({ days, loweredAt, earlierDays }: Retention, now: number): number {
  const earlier = now - earlierDays * DAY_MS;
  return earlierDays > days && earlier < loweredAt ? Math.min(earlier, now - days * DAY_MS) : now - days * DAY_MS;
}

/** Unix milliseconds until which the id of an event made at this time is known. */
export function eventKeptUntil({ days, loweredAt, earlierDays }: Retention, madeAt: number): number {
  return madeAt + (madeAt < loweredAt ? Math.max(days, earlierDays) : days) * DAY_MS;
}

/**
 * When history is to be looked after next; null for never. Asked after every commit, so what was found is remembered: what
 * is to be archived is not due earlier because more comes, and neither is what is to be forgotten.
 */
export class HistoryClock {
  readonly #everyMs: number;
  #archiving: number | null = null;
  #forgetting: number | null = null;
  /** Set while a look is under way: should it be cut off, another one goes on. */
  #busyUntil: number | null = null;

  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  next(context: Stored): number | null {
    if (this.#everyMs === 0) return null;
    if (this.#busyUntil !== null) return this.#busyUntil;
    this.#archiving ??= this.#nextArchiving(context);
    this.#forgetting ??= this.#nextForgetting(context);
    const times = [this.#archiving, this.#forgetting].filter((time) => time !== null);
    return times.length === 0 ? null : Math.min(...times);
  }

  begin(now: number): void {
    this.#busyUntil = now + CUT_OFF_AFTER_MS;
  }

  end(): void {
    this.#busyUntil = null;
    this.#archiving = null;
    this.#forgetting = null;
  }

  #nextArchiving({ sql, identity }: Stored): number | null {
    const state = readHistory(sql);
    if (state.retry_at !== null) return state.retry_at;
    const unarchived = [
      firstId(sql, "SELECT min(id) AS id FROM runs WHERE id > ?", state.runs_until),
      firstId(sql, "SELECT min(id) AS id FROM events WHERE id > ?", state.events_until),
    ].flatMap((id) => (id === null ? [] : sequenceTime(id)));
    const passed = firstId(sql, "SELECT (SELECT 1 FROM passed_runs) OR (SELECT 1 FROM passed_events) AS id");
    return this.#turn(identity.environmentId, state, passed === null ? unarchived : [...unarchived, state.looked_at]);
  }

  #nextForgetting({ sql, identity }: Stored): number | null {
    const { retention, environmentId } = identity;
    const oldest = [firstId(sql, "SELECT min(id) AS id FROM runs"), firstId(sql, "SELECT min(id) AS id FROM events")];
    const times = oldest.flatMap((id) => (id === null ? [] : sequenceTime(id) + retention.days * DAY_MS));
    return this.#turn(environmentId, readHistory(sql), times);
  }

  /** What could not be done by one look is not looked at again before the next turn. */
  #turn(environmentId: string, { looked_at }: HistoryState, times: readonly number[]): number | null {
    if (times.length === 0) return null;
    return nextTurn(Math.max(Math.min(...times), looked_at), this.#everyMs, environmentId);
  }
}

function firstId(sql: SqlStorage, query: string, ...values: number[]): number | null {
  return sql.exec<{ id: number | null }>(query, ...values).one().id;
}

/** The look is over: all that could be archived is. */
export function noteArchived({ sql }: Pick<Stored, "sql">, stored: boolean, now: number): void {
  sql.exec(
    "UPDATE history SET looked_at = ?, attempts = 0, retry_at = NULL, archived_at = CASE WHEN ? THEN ? ELSE archived_at END",
    now,
    stored ? 1 : 0,
    now,
  );
}

export function noteArchiveFailed(
  { sql, random }: Pick<Stored, "sql"> & { readonly random: () => number },
  now: number,
): void {
  const attempts = readHistory(sql).attempts + 1;
  sql.exec("UPDATE history SET attempts = ?, retry_at = ?", attempts, retryAt(attempts, now, random()));
}
