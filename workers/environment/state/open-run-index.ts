// Which runs have not ended. Those made last are looked through for it; older ones stand in an index. The view
// `unfinished_runs` is both: whoever looks for runs that have not ended asks it.
//
// An index entry is a row written, a quarter of what a run costs besides, and most runs end within a second. So a run
// that a host can take is made without one, and gets it when it is still open some hundred runs later.
// Tests: tests/workerd/unfinished-runs.test.ts.
import { RECENT_RUNS } from "../../../shared/kernel/limits.ts";

const UNTIL = "(SELECT until FROM indexed_runs)";

export class RecentRuns {
  readonly #sql: SqlStorage;
  /** About so many: what was rolled back or forgotten is counted too, which does no harm. */
  #recent: number;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.#recent = this.#count();
    if (this.#recent >= RECENT_RUNS) this.#indexOlder();
  }

  /** After something was undone: it may have been the entries that were written for the older half. */
  recount(): void {
    this.#recent = this.#count();
  }

  #count(): number {
    return this.#sql
      .exec<{ n: number }>(`SELECT count(*) AS n FROM (SELECT 1 FROM runs WHERE id > ${UNTIL} LIMIT ?)`, RECENT_RUNS)
      .one().n;
  }

  /** A run was made. When that is one too many, those of the older half that are open get their entry. */
  made(): void {
    this.#recent += 1;
    if (this.#recent > RECENT_RUNS) this.#indexOlder();
  }

  /** Those among them that nobody took before their time to live ended. */
  expired(now: number): { id: number; workflow: number; expires_at: number }[] {
    return this.#sql
      .exec<{ id: number; workflow: number; expires_at: number }>(
        `SELECT id, workflow, expires_at FROM runs
         WHERE id > ${UNTIL} AND finished_at IS NULL AND attempts = 0 AND lost_in_a_row = 0 AND expires_at <= ?`,
        now,
      )
      .toArray();
  }

  #indexOlder(): void {
    this.#recent = RECENT_RUNS / 2;
    const [last] = this.#sql
      .exec<{ id: number }>(`SELECT id FROM runs WHERE id > ${UNTIL} ORDER BY id DESC LIMIT 1 OFFSET ?`, this.#recent)
      .toArray();
    if (!last) return;
    this.#sql.exec(
      `UPDATE runs SET indexed = 1 WHERE id > ${UNTIL} AND id <= ? AND finished_at IS NULL AND indexed = 0`,
      last.id,
    );
    this.#sql.exec("UPDATE indexed_runs SET until = ?", last.id);
  }
}
