// The rows of runs: making one, ending it, losing its host. What holds a run in between is in hosts.ts.
//
// Promise 2 is kept here: a run ends once. Every change is guarded by `finished_at IS NULL`, so the first end wins and
// whatever comes later changes nothing. Tests: tests/workerd/runs.test.ts.

import type { RunError, RunStatus } from "../../../shared/api/runs.ts";
import { runId } from "../../../shared/ids/ids.ts";
import { LOST_ATTEMPT_WAITS_MS, LOST_ATTEMPTS_MAX } from "../../../shared/kernel/limits.ts";
import { log } from "../../../shared/kernel/log.ts";
import type { Turn } from "../state/commits.ts";
import type { EnvironmentContext } from "../state/context.ts";
import { type HeldRun, isSuspect, NO_HOST } from "../state/host.ts";
import type { Workflow } from "../state/workflows.ts";
import { addStep } from "./step-rows.ts";

export interface RunRow extends Record<string, SqlStorageValue> {
  id: number;
  workflow: number;
  event: number;
  attempts: number;
  lost_in_a_row: number;
  resume_at: number | null;
  expires_at: number;
  is_test: number;
  rerun_of: number | null;
  started_at: number | null;
  finished_at: number | null;
  status: string | null;
  output: string | null;
  error: string | null;
  /** 0 while it may be open and stands in no index: recent-runs.ts. */
  indexed: number;
}

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
    // One that no host can take now will be sought often; the others are over soon.
    !workflow.paused && context.hosts.leastBusy(workflow.number) ? 0 : 1,
  );
  context.recentRuns.made();
  logTransition(context, turn, run, workflow.slug, "PENDING");
  turn.dispatch(workflow.number);
}

/** Ends a run, unless it has ended. Answers whether this was the end. Its host has room for the next run. */
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
  // Only a run that was once asleep can have an answer owed, and its start was written then.
  if (!held || held.written || held.attempt > 0) {
    context.sql.exec("UPDATE steps SET due_at = NULL, sealed = NULL WHERE run = ? AND due_at IS NOT NULL", run);
  }
  logTransition(context, turn, run, context.workflows.byNumber(ended.workflow)?.slug, end.status);
  turn.afterwards(() => context.ends.notify(run));
  turn.dispatch(ended.workflow);
  return true;
}

/** Writes down that a held run has started, so that this is known also when the object's memory is lost. */
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

/**
 * A host was lost while it held these runs. An offer that was not taken is simply made again. An attempt that was taken
 * is counted and shown. Which run brought the host down is not known, so all are blamed, unless one was a suspect.
 */
export function loseRuns(
  context: EnvironmentContext,
  turn: Turn,
  workflow: number,
  lost: readonly HeldRun[],
  now: number,
): void {
  const taken = lost.filter((held) => held.taken);
  const suspected = taken.some(isSuspect);
  for (const held of lost) {
    if (held.taken) loseAttempt(context, turn, workflow, held, !suspected || isSuspect(held), now);
    else turn.apply(() => context.queue.putBack(workflow, held.run));
    // Answers owed to the run are owed to no host from here on, so that it is found and offered like one that sleeps.
    if (held.attempt > 0 || held.written) {
      context.sql.exec("UPDATE steps SET host = ? WHERE run = ? AND due_at IS NOT NULL", NO_HOST, held.run);
    }
  }
  turn.apply(() => context.queue.seekSleepers(workflow));
  turn.dispatch(workflow);
}

/**
 * Counts a lost attempt. A blamed run waits longer each time; lost too often in a row without a new result of a step,
 * it ends, so that a run which kills its hosts takes no others with it.
 */
function loseAttempt(
  context: EnvironmentContext,
  turn: Turn,
  workflow: number,
  held: HeldRun,
  blamed: boolean,
  now: number,
): void {
  const inARow = held.lostInARow + (blamed ? 1 : 0);
  const wait = blamed ? (LOST_ATTEMPT_WAITS_MS[inARow - 1] ?? 0) : 0;
  addStep(context, { run: held.run, kind: "DISCONNECTION", attempt: held.attempt, now, detail: {} });
  context.sql.exec(
    `UPDATE runs SET attempts = MAX(attempts, ?), lost_in_a_row = ?, resume_at = ?, started_at = COALESCE(started_at, ?)
     WHERE id = ? AND finished_at IS NULL`,
    held.startedAt === null ? 0 : held.attempt + 1,
    inARow,
    wait > 0 ? now + wait : null,
    held.startedAt,
    held.run,
  );
  if (inARow >= LOST_ATTEMPTS_MAX) {
    const message = `host lost: ${inARow} attempts in a row were lost with their host, without a new result of a step`;
    endRun(context, turn, held.run, { status: "ERROR", error: { name: "HostLost", message } }, now);
    return;
  }
  logTransition(context, turn, held.run, context.workflows.byNumber(workflow)?.slug, "DISCONNECTED");
  turn.apply(() => {
    if (wait > 0) context.queue.postpone(workflow, held.run, now + wait);
    else context.queue.putBack(workflow, held.run);
  });
}

/** A new result of a step: the run made progress, so losses from here on count from one again. */
export function noteProgress(context: EnvironmentContext, turn: Turn, held: HeldRun): void {
  if (held.lostInARow === 0) return;
  context.sql.exec("UPDATE runs SET lost_in_a_row = 0 WHERE id = ?", held.run);
  turn.apply(() => context.hosts.held.noteProgress(held.run));
  // No suspect any more: the next one may go to its host.
  const workflow = context.hosts.held.holder(held.run)?.registration?.workflow;
  if (workflow !== undefined) turn.dispatch(workflow);
}

export function readRun(context: EnvironmentContext, run: number): RunRow | undefined {
  return context.sql.exec<RunRow>("SELECT * FROM runs WHERE id = ?", run).toArray()[0];
}

/** One line per transition, with ids only. */
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
