// What a person or a script does to runs and workflows: cancel, rerun, pause, resume, deregister, wait for an end.
import type { RunChange, WorkflowChange, WorkflowChanged } from "../../shared/environment-rpc.ts";
import { parseRunId, runId } from "../../shared/ids.ts";
import type { Run, RunOutcome } from "../../shared/runs.ts";
import type { Turn } from "./commits.ts";
import type { EnvironmentContext } from "./context.ts";
import { expireRuns } from "./dispatch.ts";
import { readRunById } from "./read-runs.ts";
import { endRun, insertRun, readRun } from "./runs.ts";

const ENDS = new Set(["SUCCESS", "ERROR", "TIMED_OUT", "CANCELED"]);

function found(context: EnvironmentContext, id: string, now: number): { number: number; run: Run } | null {
  const run = readRunById(context, id, now);
  const number = parseRunId(context.identity.environmentId, id);
  return run && number !== null ? { number, run } : null;
}

/** Ends a run that has not ended. Its host is not told: what it goes on to say of the run changes nothing. */
export function cancelRun(context: EnvironmentContext, turn: Turn, id: string, now: number): RunChange {
  const at = found(context, id, now);
  if (!at) return { failed: "not found" };
  if (at.run.status === "CANCELED") return { done: at.run };
  if (ENDS.has(at.run.status)) return { failed: "ended" };
  endRun(context, turn, at.number, { status: "CANCELED" }, now);
  const canceled = readRunById(context, id, now);
  return canceled ? { done: canceled } : { failed: "not found" };
}

export function rerunRun(context: EnvironmentContext, turn: Turn, id: string, now: number): RunChange {
  const at = found(context, id, now);
  const row = at && readRun(context, at.number);
  if (!row) return { failed: "not found" };
  const workflow = context.workflows.byNumber(row.workflow);
  if (!workflow || workflow.deregistered) return { failed: "gone" };
  const run = context.nextNumber();
  insertRun(context, turn, { run, workflow, event: row.event, now, isTest: row.is_test === 1, rerunOf: row.id });
  const made = readRunById(context, runId(context.identity.environmentId, run), now);
  return made ? { done: made } : { failed: "not found" };
}

export function changeWorkflow(
  context: EnvironmentContext,
  turn: Turn,
  slug: string,
  change: WorkflowChange,
  now: number,
): WorkflowChanged {
  const workflow = context.workflows.bySlug(slug);
  if (!workflow || workflow.deregistered) return "not found";
  if (change !== "deregister") {
    if (workflow.paused !== (change === "pause")) context.workflows.setPaused(workflow.number, change === "pause");
    turn.dispatch(workflow.number);
    return "done";
  }
  if (context.hosts.ofWorkflow(workflow.number).size > 0) return "connected";
  expireRuns(context, turn, workflow.number, now);
  context.workflows.deregister(workflow.number, now);
  const waiting = context.sql
    .exec<{ id: number }>("SELECT id FROM runs WHERE workflow = ? AND finished_at IS NULL", workflow.number)
    .toArray();
  for (const { id } of waiting) endRun(context, turn, id, { status: "CANCELED" }, now);
  return "done";
}

/** What came of these runs, after waiting for those that have not ended. Unknown ids are left out. */
export async function waitForRuns(
  context: EnvironmentContext,
  ids: readonly string[],
  waitMs: number,
  clock: () => number,
): Promise<RunOutcome[]> {
  const runs = ids.flatMap((id) => found(context, id, clock()) ?? []);
  const open = runs.filter(({ run }) => !ENDS.has(run.status)).map(({ number }) => number);
  if (open.length > 0) await context.ends.until(open, waitMs);
  return runs.flatMap(({ run: { id } }) => {
    const run = readRunById(context, id, clock());
    if (!run) return [];
    const { status, output, error, workflow } = run;
    return [{ id, workflow: workflow.slug, status, ...(output !== undefined && { output }), ...(error && { error }) }];
  });
}
