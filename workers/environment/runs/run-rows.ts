// The rows of runs, and every write of them: making a run, ending it, counting its attempts. The hosts' attachments, and
// not the rows, say which host holds a run (state/hosts.ts).
//
// Promise 2 is kept here: a run ends once. Every end is guarded by `finished_at IS NULL`, so the first end wins and no
// later one changes it. Tests: tests/workerd/runs.test.ts.
import type { RunError, RunStatus } from "../../../shared/api/runs.ts";
import { runId } from "../../../shared/ids/ids.ts";
import { log } from "../../../shared/kernel/log.ts";
import type { Turn } from "../state/commits.ts";
import type { EnvironmentContext } from "../state/context.ts";
import type { HeldRun } from "../state/host.ts";
import type { Workflow } from "../state/workflows.ts";
import type { RunRow } from "../storage/rows.ts";
import { dropPendingAnswers } from "./step-rows.ts";

export interface NewRun {
  readonly run: number;
  readonly workflow: Workflow;
  readonly event: number;
  readonly now: number;
  readonly isTest: boolean;
  readonly rerunOf?: number;
}

export type RunEnd =
  | { readonly status: "SUCCESS"; readonly output: string | null }
  | { readonly status: "ERROR"; readonly error: RunError }
  | { readonly status: "TIMED_OUT" | "CANCELED" };

type Stored = Pick<EnvironmentContext, "sql">;

export function readRun({ sql }: Stored, run: number): RunRow | undefined {
  return sql.exec<RunRow>("SELECT * FROM runs WHERE id = ?", run).toArray()[0];
}

/** Stores a run that waits for a host, and has it offered to one when the turn ends. */
export function insertRun(context: EnvironmentContext, turn: Turn, created: NewRun): void {
  const { run, workflow, event, now, isTest, rerunOf } = created;
  context.sql.exec(
    "INSERT INTO runs (id, workflow, event, expires_at, is_test, rerun_of, indexed) VALUES (?, ?, ?, ?, ?, ?, ?)",
    run,
    workflow.number,
    event,
    now + workflow.timeToLiveMs,
    isTest ? 1 : 0,
    rerunOf ?? null,
    // A run that no host can take now will be searched for often. The others end soon.
    !workflow.paused && context.hosts.leastBusy(workflow.number) ? 0 : 1,
  );
  context.openRunIndex.noteMade();
  logTransition(context, turn, run, workflow.slug, "PENDING");
  turn.dispatch(workflow.number);
}

/** Ends a run, unless it has ended. True if this was the end. Its host has room for the next run. */
export function endRun(context: EnvironmentContext, turn: Turn, run: number, end: RunEnd, now: number): boolean {
  const held = context.hosts.held.find(run);
  const [ended] = context.sql.exec<{ workflow: number; attempts: number }>(
    `UPDATE runs SET status = ?, output = ?, error = ?, started_at = COALESCE(started_at, ?),
       attempts = MAX(attempts, ?), finished_at = ?
     WHERE id = ? AND finished_at IS NULL RETURNING workflow, attempts`,
    end.status,
    end.status === "SUCCESS" ? end.output : null,
    end.status === "ERROR" ? JSON.stringify(end.error) : null,
    held?.startedAt ?? null,
    held?.startedAt != null ? held.attempt + 1 : 0,
    now,
    run,
  );
  turn.apply(() => context.hosts.held.release(run));
  if (!ended) return false;
  // Only a run that once was asleep can have a pending answer, and its start was written when it fell asleep.
  if (!held || held.written || held.attempt > 0) dropPendingAnswers(context, run);
  logTransition(context, turn, run, context.workflows.byNumber(ended.workflow)?.slug, end.status);
  turn.afterwards(() => context.runWaiters.notify(run));
  turn.dispatch(ended.workflow);
  return true;
}

/** Stores the start of a held run, so that it outlives the object's memory. */
export function writeStart(context: EnvironmentContext, turn: Turn, held: HeldRun): void {
  if (held.written || held.startedAt === null) return;
  context.sql.exec(
    "UPDATE runs SET started_at = COALESCE(started_at, ?), attempts = MAX(attempts, ?) WHERE id = ? AND finished_at IS NULL",
    held.startedAt,
    held.attempt + 1,
    held.run,
  );
  turn.apply(() => context.hosts.held.noteWritten(held.run));
}

/** Stores the loss of an attempt. `resumeAt` is null for a run that may be offered at once. */
export function writeLoss({ sql }: Stored, held: HeldRun, lostInARow: number, resumeAt: number | null): void {
  sql.exec(
    `UPDATE runs SET attempts = MAX(attempts, ?), lost_in_a_row = ?, resume_at = ?, started_at = COALESCE(started_at, ?)
     WHERE id = ? AND finished_at IS NULL`,
    held.startedAt === null ? 0 : held.attempt + 1,
    lostInARow,
    resumeAt,
    held.startedAt,
    held.run,
  );
}

/** The run made progress: losses count from one again. */
export function clearLosses({ sql }: Stored, run: number): void {
  sql.exec("UPDATE runs SET lost_in_a_row = 0 WHERE id = ? AND lost_in_a_row > 0", run);
}

/** Gives the open runs up to this one their entries in the index of open runs (state/open-run-index.ts). */
export function indexOpenRuns({ sql }: Stored, until: number): void {
  sql.exec(
    `UPDATE runs SET indexed = 1
     WHERE id > (SELECT until FROM indexed_runs) AND id <= ? AND finished_at IS NULL AND indexed = 0`,
    until,
  );
}

export function deleteRun({ sql }: Stored, run: number): void {
  sql.exec("DELETE FROM runs WHERE id = ?", run);
}

/** Logs one line per change of status, with ids only. */
export function logTransition(
  { identity }: EnvironmentContext,
  turn: Turn,
  run: number,
  workflow: string | undefined,
  status: RunStatus,
): void {
  turn.afterwards(() =>
    log("info", "run", {
      run: runId(identity.environmentId, run),
      environment: identity.environmentId,
      organization: identity.organizationId,
      workflow,
      status,
    }),
  );
}
