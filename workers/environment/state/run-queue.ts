// The search for waiting runs: a cursor for each workflow.
//
// Invariant: every open run up to the cursor is held by a connected host, asleep (its answer is pending), requeued, or
// postponed. The object starts without cursors and so reads every open run once. After a hibernation the search goes on
// from the watermark in the hosts' attachments. The watermark is the cursor, or lies before the first run that is requeued
// or postponed, because only memory knows those. When a watermark falls, the attachments of the workflow are written.
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
  /** A host that the run slept with and that is gone. */
  host: number;
}

export interface WaitingRun {
  readonly id: number;
  readonly event: number;
  readonly attempts: number;
  readonly lost_in_a_row: number;
  readonly is_test: number;
  /** An answer is pending, for whichever host runs the run then. */
  readonly asleep: boolean;
  /** Its host was lost while it slept, and no step shows that yet. */
  readonly lostAsleep: boolean;
}

/** Waiting runs in one read. More than one host takes, so that one read usually serves a host. */
const READ_AT_ONCE = 2 * HOST_MAX_RUNNING;
const COLUMNS = "r.id, r.event, r.attempts, r.lost_in_a_row, r.resume_at, r.is_test";
const AWAKE = "NOT EXISTS (SELECT 1 FROM steps s WHERE s.run = r.id AND s.due_at IS NOT NULL)";

export class RunQueue {
  readonly #cursors = new Map<number, number>();
  readonly #requeued = new Map<number, Set<number>>();
  readonly #postponed = new Map<number, { readonly workflow: number; readonly until: number }>();
  /** Workflows whose sleeping runs were scanned since a host was last lost. Attachments call this `sleepersSought`. */
  readonly #scanned = new Set<number>();
  /** Workflows with runs that were postponed before a hibernation: their search finds these runs again. */
  readonly #resumed = new Set<number>();
  readonly #onFallen: (workflow: number) => void;

  /** `onFallen` is called when the watermark of a workflow falls. */
  constructor(onFallen: (workflow: number) => void) {
    this.#onFallen = onFallen;
  }

  /** Goes on from the state in an attachment. No attachment is further than the search was; the furthest counts. */
  resume(workflow: number, { watermark, sleepersSought, postponed }: SearchState): void {
    if (postponed) this.#resumed.add(workflow);
    this.#cursors.set(workflow, Math.max(this.#cursors.get(workflow) ?? 0, watermark));
    if (sleepersSought) this.#scanned.add(workflow);
  }

  /** Searches from the first run again, after a rollback has undone the offers of a search. */
  startAnew(workflow: number): void {
    this.#cursors.delete(workflow);
    this.#scanned.delete(workflow);
    this.#onFallen(workflow);
  }

  /** The search state that attachments remember. */
  state(workflow: number): SearchState {
    let watermark = this.#cursors.get(workflow) ?? 0;
    let postponed = false;
    for (const run of this.#requeued.get(workflow) ?? []) watermark = Math.min(watermark, run - 1);
    for (const [run, { workflow: of }] of this.#postponed) {
      if (of !== workflow) continue;
      watermark = Math.min(watermark, run - 1);
      postponed = true;
    }
    return { watermark, sleepersSought: this.#scanned.has(workflow), postponed };
  }

  /** Workflows to search after a hibernation, because some of their runs wait for a time. */
  toLookThrough(): ReadonlySet<number> {
    return this.#resumed;
  }

  /** Has the search find a run again. Until the cursor has passed the run, there is nothing to do. */
  requeue(workflow: number, run: number): void {
    if (run > (this.#cursors.get(workflow) ?? 0)) return;
    const runs = this.#requeued.get(workflow) ?? new Set();
    this.#requeued.set(workflow, runs.add(run));
    this.#onFallen(workflow);
  }

  /** Has the search find a run again, but not before this time. */
  postpone(workflow: number, run: number, until: number): void {
    this.#postponed.set(run, { workflow, until });
    this.#onFallen(workflow);
  }

  /** Requeues the runs whose time has come. Returns their workflows. */
  endPostponements(now: number): Set<number> {
    const workflows = new Set<number>();
    for (const [run, { workflow, until }] of this.#postponed) {
      if (until > now) continue;
      this.#postponed.delete(run);
      this.requeue(workflow, run);
      // The run may be asleep.
      this.rescanSleepingRuns(workflow);
      workflows.add(workflow);
    }
    return workflows;
  }

  nextPostponed(): number | null {
    let next: number | null = null;
    for (const { until } of this.#postponed.values()) next = next === null ? until : Math.min(next, until);
    return next;
  }

  /** A host is gone: runs of the workflow may sleep without a host. */
  rescanSleepingRuns(workflow: number): void {
    if (this.#scanned.delete(workflow)) this.#onFallen(workflow);
  }

  /** The oldest waiting runs; without any, sleeping runs whose host is gone. Held runs may be among the waiting ones. */
  next(sql: SqlStorage, workflow: number, hosts: HostsOfRuns, now: number): WaitingRun[] {
    const rows = this.#nextRequeued(sql, workflow) ?? this.#nextAfterCursor(sql, workflow);
    const waiting = rows.filter((row) => this.#mayResume(workflow, row, now));
    if (rows.length > 0 && waiting.length === 0) return this.next(sql, workflow, hosts, now);
    if (waiting.length > 0) return waiting.map((row) => ({ ...row, asleep: false, lostAsleep: false }));
    return this.#nextSleeping(sql, workflow, hosts, now);
  }

  /** True if the run may be offered now. A run that has to wait is postponed. */
  #mayResume(workflow: number, { id, resume_at }: WaitingRow, now: number): boolean {
    if (resume_at === null || resume_at <= now) return true;
    this.postpone(workflow, id, resume_at);
    return false;
  }

  #nextRequeued(sql: SqlStorage, workflow: number): WaitingRow[] | null {
    const requeued = this.#requeued.get(workflow);
    if (!requeued || requeued.size === 0) return null;
    const ids = [...requeued].sort((a, b) => a - b).slice(0, READ_AT_ONCE);
    for (const id of ids) requeued.delete(id);
    const rows = sql
      .exec<WaitingRow>(
        `SELECT ${COLUMNS} FROM runs r
         WHERE r.id IN (SELECT value FROM json_each(?)) AND r.finished_at IS NULL AND ${AWAKE} ORDER BY r.id`,
        JSON.stringify(ids),
      )
      .toArray();
    return rows.length > 0 ? rows : this.#nextRequeued(sql, workflow);
  }

  #nextAfterCursor(sql: SqlStorage, workflow: number): WaitingRow[] {
    const cursor = this.#cursors.get(workflow) ?? 0;
    const { newest, until } = sql
      .exec<{ newest: number | null; until: number }>(
        "SELECT (SELECT max(id) FROM runs) AS newest, until FROM indexed_runs",
      )
      .one();
    if (newest === null || newest <= cursor) return [];
    // Beyond the index of open runs, the search reads on from the cursor itself.
    const rows = sql
      .exec<WaitingRow>(
        `SELECT ${COLUMNS} FROM ${cursor < until ? "unfinished_runs" : "runs"} r
         WHERE r.workflow = ? AND r.finished_at IS NULL AND r.id > ? AND ${AWAKE} ORDER BY r.id LIMIT ?`,
        workflow,
        cursor,
        READ_AT_ONCE,
      )
      .toArray();
    // The next search does not read the runs of other workflows up to here again.
    this.#cursors.set(workflow, rows.at(-1)?.id ?? newest);
    return rows;
  }

  #nextSleeping(sql: SqlStorage, workflow: number, hosts: HostsOfRuns, now: number): WaitingRun[] {
    if (this.#scanned.has(workflow)) return [];
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
      if (after === undefined) this.#scanned.add(workflow);
    }
    return found.map((row) => ({ ...row, asleep: true, lostAsleep: row.host !== NO_HOST }));
  }
}
