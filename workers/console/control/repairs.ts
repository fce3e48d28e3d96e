// The object Repairs: looks after changes that were announced and not settled, see push.ts. It holds ids only. While
// nothing is owed it has no alarm and asks Postgres nothing, so it keeps no database awake.
import { DurableObject } from "cloudflare:workers";
import { errorName, log } from "../../../shared/kernel/log.ts";
import type { Env } from "../../env.ts";
import { pushEnvironment } from "./apply-change.ts";
import { nextRepairAt, SETTLED_WITHIN_MS } from "./repair-times.ts";
import { makeWorld } from "./services.ts";

interface OwedRow extends Record<string, SqlStorageValue> {
  ticket: string;
  environment: string;
  announced_at: number;
  attempts: number;
  due_at: number;
}

export class Repairs extends DurableObject<Env> {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    ctx.storage.sql.exec(`CREATE TABLE IF NOT EXISTS owed (
      ticket TEXT NOT NULL,
      environment TEXT NOT NULL,
      announced_at INTEGER NOT NULL,
      attempts INTEGER NOT NULL DEFAULT 0,
      due_at INTEGER NOT NULL,
      PRIMARY KEY (ticket, environment)
    ) WITHOUT ROWID`);
  }

  async expect(environmentIds: readonly string[]): Promise<string> {
    const ticket = crypto.randomUUID();
    const now = Date.now();
    for (const id of environmentIds) {
      const due = now + SETTLED_WITHIN_MS;
      this.ctx.storage.sql.exec("INSERT INTO owed VALUES (?, ?, ?, 0, ?)", ticket, id, now, due);
    }
    await this.#schedule();
    return ticket;
  }

  async settle(ticket: string): Promise<void> {
    this.ctx.storage.sql.exec("DELETE FROM owed WHERE ticket = ?", ticket);
    await this.#schedule();
  }

  /** Never throws: the platform drops an alarm after six failures. */
  override async alarm(): Promise<void> {
    const { sql } = this.ctx.storage;
    const due = sql.exec<OwedRow>("SELECT * FROM owed WHERE due_at <= ? LIMIT 100", Date.now()).toArray();
    const world = makeWorld(this.env, (work) => this.ctx.waitUntil(work));
    for (const environment of new Set(due.map((row) => row.environment))) {
      const rows = due.filter((row) => row.environment === environment);
      const repaired = await pushEnvironment(world, environment).then(
        () => true,
        (error: unknown) => {
          log("warn", "repair failed", { environment, name: errorName(error) });
          return false;
        },
      );
      // Only what was due: an announcement made meanwhile may be of a change that is not committed yet.
      for (const row of rows) {
        if (repaired) sql.exec("DELETE FROM owed WHERE ticket = ? AND environment = ?", row.ticket, environment);
        else {
          const next = nextRepairAt(row.attempts, Date.now());
          const change = "UPDATE owed SET attempts = attempts + 1, due_at = ? WHERE ticket = ? AND environment = ?";
          sql.exec(change, next, row.ticket, environment);
        }
      }
    }
    await this.#schedule();
  }

  async #schedule(): Promise<void> {
    const { storage } = this.ctx;
    const { due } = storage.sql.exec<{ due: number | null }>("SELECT min(due_at) AS due FROM owed").one();
    if (due === null) await storage.deleteAlarm();
    // An alarm set to the present from inside an alarm would not fire.
    else await storage.setAlarm(Math.max(due, Date.now() + 1));
  }
}
