// The object Repairs: pushes the environments of changes whose ticket was not settled, see apply-change.ts. The object
// stores ids only. Without tickets it has no alarm and sends Postgres no query, so it keeps no database awake.
// Tests: tests/workerd/repairs.test.ts.
import { DurableObject } from "cloudflare:workers";
import { errorName, log } from "../../../shared/kernel/log.ts";
import type { Env } from "../../env.ts";
import { OneAlarm } from "../../platform/one-alarm.ts";
import { pushEnvironment } from "./apply-change.ts";
import { nextRepairAt, SETTLED_WITHIN_MS } from "./repair-times.ts";
import { makeConsoleServices } from "./services.ts";

/** Environments repaired by one alarm, at most. */
const DUE_ROWS_MAX = 100;

interface OwedRow extends Record<string, SqlStorageValue> {
  ticket: string;
  environment: string;
  announced_at: number;
  attempts: number;
  due_at: number;
}

export class Repairs extends DurableObject<Env> {
  readonly #alarm: OneAlarm;

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
    this.#alarm = new OneAlarm(ctx.storage);
    ctx.blockConcurrencyWhile(() => this.#alarm.load());
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
    this.#alarm.fired();
    const { sql } = this.ctx.storage;
    const due = sql.exec<OwedRow>("SELECT * FROM owed WHERE due_at <= ? LIMIT ?", Date.now(), DUE_ROWS_MAX).toArray();
    const services = makeConsoleServices(this.env, (work) => this.ctx.waitUntil(work));
    for (const environment of new Set(due.map((row) => row.environment))) {
      const repaired = await pushEnvironment(services, environment).then(
        () => true,
        (error: unknown) => {
          log("warn", "repair failed", { environment, name: errorName(error) });
          return false;
        },
      );
      // Due rows only: a ticket that was taken meanwhile may belong to a change that is not committed yet.
      for (const row of due.filter((each) => each.environment === environment)) this.#note(row, repaired);
    }
    await this.#schedule();
  }

  #note({ ticket, environment, attempts }: OwedRow, repaired: boolean): void {
    const { sql } = this.ctx.storage;
    if (repaired) {
      sql.exec("DELETE FROM owed WHERE ticket = ? AND environment = ?", ticket, environment);
      return;
    }
    const next = nextRepairAt(attempts + 1, Date.now());
    const change = "UPDATE owed SET attempts = attempts + 1, due_at = ? WHERE ticket = ? AND environment = ?";
    sql.exec(change, next, ticket, environment);
  }

  /** After a ticket was settled the alarm may come before the next one is due; it then only sets itself again. */
  async #schedule(): Promise<void> {
    const { due } = this.ctx.storage.sql.exec<{ due: number | null }>("SELECT min(due_at) AS due FROM owed").one();
    if (due === null) await this.#alarm.clear();
    else await this.#alarm.setNoLaterThan(due);
  }
}
