// The open runs, that is, the runs that have not ended. The newest RECENT_RUNS runs are scanned; older open ones are
// indexed. The view `unfinished_runs` is both, and every search for open runs asks the view.
//
// An index entry is a row written, a quarter of the other cost of a run, and most runs end within a second. So a run that
// a host can take is made without an entry, and gets one only if it is still open some hundred runs later.
// Tests: tests/workerd/unfinished-runs.test.ts.
import { RECENT_RUNS } from "../../../shared/kernel/limits.ts";

const UNTIL = "(SELECT until FROM indexed_runs)";

export class OpenRunIndex {
  readonly #sql: SqlStorage;
  readonly #writeEntries: (until: number) => void;
  /** Runs after the index, roughly: runs that were rolled back or forgotten count too, which does no harm. */
  #recent: number;

  /** `writeEntries` gives the open runs up to a number their entries. */
  constructor(sql: SqlStorage, writeEntries: (until: number) => void) {
    this.#sql = sql;
    this.#writeEntries = writeEntries;
    this.#recent = this.#count();
    if (this.#recent >= RECENT_RUNS) this.#indexOlder();
  }

  /** An operation was rolled back, and with it perhaps the entries of the older half. */
  recount(): void {
    this.#recent = this.#count();
  }

  #count(): number {
    return this.#sql
      .exec<{ n: number }>(`SELECT count(*) AS n FROM (SELECT 1 FROM runs WHERE id > ${UNTIL} LIMIT ?)`, RECENT_RUNS)
      .one().n;
  }

  /** A run was made. If it is one too many, the open runs of the older half get their entries. */
  noteMade(): void {
    this.#recent += 1;
    if (this.#recent > RECENT_RUNS) this.#indexOlder();
  }

  /** The recent runs that no host took before their time to live ended. */
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
    this.#writeEntries(last.id);
    this.#sql.exec("UPDATE indexed_runs SET until = ?", last.id);
  }
}
