// Where the search for waiting runs of each workflow stands.
//
// Invariant: every unfinished run up to the cursor is held by a connected host, asleep (an answer is owed to it), put
// back, or postponed. The object starts with no cursors and so looks at every unfinished run once. After a hibernation
// the search goes on from the watermark in the hosts' attachments: as far as the cursor, but before every run that was
// put back or postponed, since those stand in memory only. When the watermark falls, all attachments are written.
import { HOST_MAX_RUNNING } from "../../../shared/kernel/limits.ts";
import type { SearchState } from "./attachment.ts";
import { NO_HOST } from "./host.ts";
import type { Hosts } from "./hosts.ts";

/** The part of the hosts that a search asks. */
type HostsOfRuns = Pick<Hosts, "ids"> & { readonly held: Pick<Hosts["held"], "holder"> };

interface WaitingRow extends Record<string, SqlStorageValue> {
  id: number;
  event: number;
  attempts: number;
  lost_in_a_row: number;
  resume_at: number | null;
  is_test: number;
}

interface SleepingRow extends WaitingRow {
  /** One that it slept with and that is gone. */
  host: number;
}

export interface WaitingRun {
  readonly id: number;
  readonly event: number;
  readonly attempts: number;
  readonly lost_in_a_row: number;
  readonly is_test: number;
  /** An answer is owed to it, which comes whoever runs it. */
  readonly asleep: boolean;
  /** Its host was lost while it slept, which nobody has written down yet. */
  readonly lostAsleep: boolean;
}

/** Waiting runs read at once. More than a host takes, so that one read usually serves one host's worth. */
const READ_AT_ONCE = 2 * HOST_MAX_RUNNING;
const COLUMNS = "r.id, r.event, r.attempts, r.lost_in_a_row, r.resume_at, r.is_test";
const AWAKE = "NOT EXISTS (SELECT 1 FROM steps s WHERE s.run = r.id AND s.due_at IS NOT NULL)";

export class RunQueue {
  readonly #cursors = new Map<number, number>();
  readonly #putBack = new Map<number, Set<number>>();
  readonly #postponed = new Map<number, { readonly workflow: number; readonly until: number }>();
  /** Workflows of which no run sleeps with a host that is gone, as far as is known. */
  readonly #sleepersSought = new Set<number>();
  /** Workflows some of whose runs were postponed before a hibernation: their search finds these again. */
  readonly #resumed = new Set<number>();
  readonly #onFallen: (workflow: number) => void;

  /** `onFallen` is called when the watermark of a workflow falls. */
  constructor(onFallen: (workflow: number) => void) {
    this.#onFallen = onFallen;
  }

  /** Goes on from what an attachment remembers. Every one is at most as far as the search was; the furthest counts. */
  resume(workflow: number, { watermark, sleepersSought, postponed }: SearchState): void {
    if (postponed) this.#resumed.add(workflow);
    this.#cursors.set(workflow, Math.max(this.#cursors.get(workflow) ?? 0, watermark));
    if (sleepersSought) this.#sleepersSought.add(workflow);
  }

  /** Has every open run looked at again, after what a search found was undone. */
  startAnew(workflow: number): void {
    this.#cursors.delete(workflow);
    this.#sleepersSought.delete(workflow);
    this.#onFallen(workflow);
  }

  /** What an attachment should remember now. */
  state(workflow: number): SearchState {
    let watermark = this.#cursors.get(workflow) ?? 0;
    let postponed = false;
    for (const run of this.#putBack.get(workflow) ?? []) watermark = Math.min(watermark, run - 1);
    for (const [run, { workflow: of }] of this.#postponed) {
      if (of !== workflow) continue;
      watermark = Math.min(watermark, run - 1);
      postponed = true;
    }
    return { watermark, sleepersSought: this.#sleepersSought.has(workflow), postponed };
  }

  /** The workflows to look through after a hibernation, because some of their runs wait for a time. */
  toLookThrough(): ReadonlySet<number> {
    return this.#resumed;
  }

  /** Has a run found again that the cursor has passed. */
  putBack(workflow: number, run: number): void {
    if (run > (this.#cursors.get(workflow) ?? 0)) return;
    const runs = this.#putBack.get(workflow) ?? new Set();
    this.#putBack.set(workflow, runs.add(run));
    this.#onFallen(workflow);
  }

  /** Has a run found again, but not before this time. */
  postpone(workflow: number, run: number, until: number): void {
    this.#postponed.set(run, { workflow, until });
    this.#onFallen(workflow);
  }

  /** Puts back what was postponed until now, and answers the workflows concerned. */
  endPostponements(now: number): Set<number> {
    const workflows = new Set<number>();
    for (const [run, { workflow, until }] of this.#postponed) {
      if (until > now) continue;
      this.#postponed.delete(run);
      this.putBack(workflow, run);
      // It may be one that an answer is owed to.
      this.seekSleepers(workflow);
      workflows.add(workflow);
    }
    return workflows;
  }

  nextPostponed(): number | null {
    let next: number | null = null;
    for (const { until } of this.#postponed.values()) next = next === null ? until : Math.min(next, until);
    return next;
  }

  /** A host is gone: runs of the workflow may sleep without one. */
  seekSleepers(workflow: number): void {
    if (this.#sleepersSought.delete(workflow)) this.#onFallen(workflow);
  }

  /** The oldest waiting runs; when there are none, runs that sleep while their host is gone. Held ones may be among them. */
  next(sql: SqlStorage, workflow: number, hosts: HostsOfRuns, now: number): WaitingRun[] {
    const rows = this.#returned(sql, workflow) ?? this.#following(sql, workflow);
    const waiting = rows.filter((row) => this.#mayResume(workflow, row, now));
    if (rows.length > 0 && waiting.length === 0) return this.next(sql, workflow, hosts, now);
    if (waiting.length > 0) return waiting.map((row) => ({ ...row, asleep: false, lostAsleep: false }));
    return this.#sleepers(sql, workflow, hosts, now);
  }

  /** Whether the run may be offered now. One that has to wait is postponed. */
  #mayResume(workflow: number, { id, resume_at }: WaitingRow, now: number): boolean {
    if (resume_at === null || resume_at <= now) return true;
    this.postpone(workflow, id, resume_at);
    return false;
  }

  #returned(sql: SqlStorage, workflow: number): WaitingRow[] | null {
    const returned = this.#putBack.get(workflow);
    if (!returned || returned.size === 0) return null;
    const ids = [...returned].sort((a, b) => a - b).slice(0, READ_AT_ONCE);
    for (const id of ids) returned.delete(id);
    const rows = sql
      .exec<WaitingRow>(
        `SELECT ${COLUMNS} FROM runs r
         WHERE r.id IN (SELECT value FROM json_each(?)) AND r.finished_at IS NULL AND ${AWAKE} ORDER BY r.id`,
        JSON.stringify(ids),
      )
      .toArray();
    return rows.length > 0 ? rows : this.#returned(sql, workflow);
  }

  #following(sql: SqlStorage, workflow: number): WaitingRow[] {
    const cursor = this.#cursors.get(workflow) ?? 0;
    const { newest, until } = sql
      .exec<{ newest: number | null; until: number }>(
        "SELECT (SELECT max(id) FROM runs) AS newest, until FROM indexed_runs",
      )
      .one();
    if (newest === null || newest <= cursor) return [];
    // Past the index, the search goes on from the cursor itself.
    const rows = sql
      .exec<WaitingRow>(
        `SELECT ${COLUMNS} FROM ${cursor < until ? "unfinished_runs" : "runs"} r
         WHERE r.workflow = ? AND r.finished_at IS NULL AND r.id > ? AND ${AWAKE} ORDER BY r.id LIMIT ?`,
        workflow,
        cursor,
        READ_AT_ONCE,
      )
      .toArray();
    // The runs of other workflows that were passed are not read again.
    this.#cursors.set(workflow, rows.at(-1)?.id ?? newest);
    return rows;
  }

  #sleepers(sql: SqlStorage, workflow: number, hosts: HostsOfRuns, now: number): WaitingRun[] {
    if (this.#sleepersSought.has(workflow)) return [];
    const found: SleepingRow[] = [];
    for (let after: number | undefined = 0; after !== undefined && found.length < READ_AT_ONCE; ) {
      const page: SleepingRow[] = sql
        .exec<SleepingRow>(
          `SELECT ${COLUMNS},
             (SELECT min(s.host) FROM steps s WHERE s.run = r.id AND s.due_at IS NOT NULL
              AND s.host NOT IN (SELECT value FROM json_each(?3))) AS host
           FROM unfinished_runs r WHERE r.workflow = ?1 AND r.id > ?2 AND host IS NOT NULL ORDER BY r.id LIMIT ?4`,
          workflow,
          after,
          JSON.stringify(hosts.ids()),
          READ_AT_ONCE,
        )
        .toArray();
      found.push(
        ...page.filter(
          (row) => !hosts.held.holder(row.id) && !this.#postponed.has(row.id) && this.#mayResume(workflow, row, now),
        ),
      );
      after = page.length < READ_AT_ONCE ? undefined : page.at(-1)?.id;
      if (after === undefined) this.#sleepersSought.add(workflow);
    }
    return found.map((row) => ({ ...row, asleep: true, lostAsleep: row.host !== NO_HOST }));
  }
}
