// The rows of runs: making one, ending it, losing its host. What holds a run in between is in hosts.ts.
//
// Promise 2 is kept here: a run ends once. Every change is guarded by `finished_at IS NULL`, so the first end wins and
// whatever comes later changes nothing. Tests: tests/workerd/runs.test.ts.
import { runId } from "../../shared/ids.ts";
import { log } from "../../shared/log.ts";
import type { RunError, RunStatus } from "../../shared/runs.ts";
import type { Turn } from "./commits.ts";
import type { EnvironmentContext } from "./context.ts";
import type { HeldRun } from "./hosts.ts";
import { addStep } from "./steps.ts";
import type { Workflow } from "./workflows.ts";

export interface RunRow extends Record<string, SqlStorageValue> {
  id: number;
  workflow: number;
  event: number;
  lost: number;
  expires_at: number;
  is_test: number;
  started_at: number | null;
  finished_at: number | null;
  status: string | null;
  output: string | null;
  error: string | null;
}

export interface NewRun {
  readonly run: number;
  readonly workflow: Workflow;
  readonly event: number;
  readonly now: number;
  readonly isTest: boolean;
}

export type RunEnd =
  | { readonly status: "SUCCESS"; readonly output: string | null }
  | { readonly status: "ERROR"; readonly error: RunError }
  | { readonly status: "TIMED_OUT" | "CANCELED" };

/** Stores a run that waits for a host, and has it offered to one when the turn ends. */
export function insertRun(
  context: EnvironmentContext,
  turn: Turn,
  { run, workflow, event, now, isTest }: NewRun,
): void {
  context.sql.exec(
    "INSERT INTO runs (id, workflow, event, expires_at, is_test) VALUES (?, ?, ?, ?, ?)",
    run,
    workflow.number,
    event,
    now + workflow.timeToLiveMs,
    isTest ? 1 : 0,
  );
  logTransition(context, turn, run, workflow.slug, "PENDING");
  turn.dispatch(workflow.number);
}

/** Ends a run, unless it has ended. Answers whether this was the end. Its host has room for the next run. */
export function endRun(context: EnvironmentContext, turn: Turn, run: number, end: RunEnd, now: number): boolean {
  const held = context.hosts.holder(run)?.held.get(run);
  const [ended] = context.sql.exec<{ workflow: number }>(
    `UPDATE runs SET status = ?, output = ?, error = ?, started_at = COALESCE(started_at, ?), finished_at = ?
     WHERE id = ? AND finished_at IS NULL RETURNING workflow`,
    end.status,
    end.status === "SUCCESS" ? end.output : null,
    end.status === "ERROR" ? JSON.stringify(end.error) : null,
    held?.startedAt ?? null,
    now,
    run,
  );
  turn.apply(() => context.hosts.release(run));
  if (!ended) return false;
  logTransition(context, turn, run, context.workflows.byNumber(ended.workflow)?.slug, end.status);
  turn.dispatch(ended.workflow);
  return true;
}

/** A host was lost while it held this run. If it had taken it, the attempt counts and the run shows it. */
export function loseRun(context: EnvironmentContext, turn: Turn, workflow: number, held: HeldRun, now: number): void {
  if (held.taken) {
    context.sql.exec(
      `UPDATE runs SET lost = lost + 1, started_at = COALESCE(started_at, ?) WHERE id = ? AND finished_at IS NULL`,
      held.startedAt,
      held.run,
    );
    addStep(context, { run: held.run, kind: "DISCONNECTION", attempt: held.attempt, now, detail: {} });
    logTransition(context, turn, held.run, context.workflows.byNumber(workflow)?.slug, "DISCONNECTED");
  }
  turn.apply(() => context.queue.putBack(workflow, held.run));
  turn.dispatch(workflow);
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
      environment: identity.environmentSlug,
      organization: identity.organizationId,
      workflow,
      status,
    }),
  );
}
