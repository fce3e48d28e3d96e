// A ScheduleBook: when which environment has a schedule due. A fixed number of these objects share all organizations, so
// that a minute in which nothing is due costs a handful of calls, however many environments there are.
//
// It decides nothing: an environment emits what is due and answers when something is due next. A row is changed only by
// what is newer, by the environment's own count, so calls may overtake each other. Should the object be lost in the middle
// of a tick, an alarm goes on. Tests: tests/workerd/schedules.test.ts.
import { DurableObject } from "cloudflare:workers";
import type { Emitted, Held, ScheduleBookRpc, TickOutcome, Wake } from "../../shared/contracts/schedule-book.ts";
import { now } from "../../shared/kernel/clock.ts";
import { errorName, log } from "../../shared/kernel/log.ts";
import type { Env } from "../env.ts";
import { hasTable, migrateStorage } from "../platform/object-storage.ts";

const STEPS: readonly string[] = [
  `
  CREATE TABLE environments (
    id TEXT PRIMARY KEY,
    -- Unix milliseconds; null for never.
    next_at INTEGER,
    version INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX due_environments ON environments (next_at) WHERE next_at IS NOT NULL;
  `,
];

/** Environments asked at once. Each call may wake an object. */
const AT_ONCE = 64;
/** Environments asked in one call: the platform limits what one may do. The alarm goes on with the rest. */
const IN_ONE_CALL = 2_000;
/** After this time without an end a tick counts as cut off. */
const CUT_OFF_AFTER_MS = 30_000;
const ANSWERED_WITHIN_MS = 20_000;
const WRITTEN_AT_ONCE = 100;

interface Answered {
  readonly id: string;
  readonly answer: Emitted;
}

export class ScheduleBook extends DurableObject<Env> implements ScheduleBookRpc {
  /** Environments that are being asked. A second tick does not ask them again. */
  readonly #asking = new Set<string>();
  /** Environments that could not be reached since the last minute began: the alarm goes on with the others. */
  readonly #away = new Set<string>();

  async wakeAt({ environmentId, at, version }: Wake): Promise<Held> {
    migrateStorage(this.ctx.storage, STEPS);
    const { sql } = this.ctx.storage;
    sql.exec(
      `INSERT INTO environments (id, next_at, version) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET next_at = excluded.next_at, version = excluded.version WHERE version < excluded.version`,
      environmentId,
      at,
      version,
    );
    type Row = { at: number | null; version: number };
    return sql.exec<Row>("SELECT next_at AS at, version FROM environments WHERE id = ?", environmentId).one();
  }

  async tick(time: number): Promise<TickOutcome> {
    this.#away.clear();
    return this.#emitDue(time);
  }

  async #emitDue(time: number): Promise<TickOutcome> {
    // A book that no environment was written into stays empty.
    if (!hasTable(this.ctx.storage.sql, "environments")) return { environments: 0, events: 0, failed: 0 };
    const { storage } = this.ctx;
    const due = this.#due(time);
    const total = { environments: 0, events: 0, failed: 0 };
    if (due.length === 0) return total;
    await storage.setAlarm(Date.now() + CUT_OFF_AFTER_MS);
    let next = 0;
    let answered: Answered[] = [];
    const ask = async () => {
      while (next < due.length) {
        const id = due[next++] ?? "";
        const answer = await this.#ask(id, time);
        if (answer === null) {
          total.failed += 1;
          this.#away.add(id);
          continue;
        }
        total.environments += 1;
        total.events += answer === "gone" ? 0 : answer.events;
        answered.push({ id, answer });
        // One write to disk for many. Those that are lost are asked again, and have nothing to emit.
        if (answered.length >= WRITTEN_AT_ONCE) answered = this.#write(answered);
      }
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, due.length) }, ask));
    this.#write(answered);
    if (due.length === IN_ONE_CALL) await storage.setAlarm(Date.now() + 1);
    else if (this.#asking.size === 0) await storage.deleteAlarm();
    return total;
  }

  /** Never throws: the platform drops an alarm after six failures. What could not be asked is asked by the next tick. */
  override async alarm(): Promise<void> {
    try {
      await this.#emitDue(now());
    } catch (error) {
      log("error", "schedule book failed", { name: errorName(error) });
    }
  }

  #due(time: number): string[] {
    return this.ctx.storage.sql
      .exec<{ id: string }>(
        "SELECT id FROM environments WHERE next_at <= ? ORDER BY next_at LIMIT ?",
        time,
        IN_ONE_CALL + this.#asking.size + this.#away.size,
      )
      .toArray()
      .map(({ id }) => id)
      .filter((id) => !this.#asking.has(id) && !this.#away.has(id))
      .slice(0, IN_ONE_CALL);
  }

  /** Null when the environment could not be reached. */
  async #ask(id: string, time: number): Promise<Emitted | null> {
    this.#asking.add(id);
    try {
      return await within(ANSWERED_WITHIN_MS, this.env.ENVIRONMENT.getByName(id).emitSchedules(time));
    } catch (error) {
      log("warn", "schedules not emitted", { environment: id, name: errorName(error) });
      return null;
    } finally {
      this.#asking.delete(id);
    }
  }

  #write(answered: readonly Answered[]): Answered[] {
    const { sql } = this.ctx.storage;
    this.ctx.storage.transactionSync(() => {
      for (const { id, answer } of answered) {
        if (answer === "gone") sql.exec("DELETE FROM environments WHERE id = ?", id);
        else {
          const { at, version } = answer.next;
          const newer = "UPDATE environments SET next_at = ?, version = ? WHERE id = ? AND version < ?";
          sql.exec(newer, at, version, id, version);
        }
      }
    });
    return [];
  }
}

async function within(ms: number, work: Promise<Emitted>): Promise<Emitted> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("no answer in time")), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
