// What a person or a script does to runs and workflows: cancel, rerun, pause, resume, deregister, wait for an end.

import { type RunSummary, runHasEnded } from "../../../shared/api/runs.ts";
import type {
  RunChange,
  TestPayload,
  WorkflowChange,
  WorkflowChanged,
  WorkflowTested,
} from "../../../shared/contracts/environment.ts";
import { parseRunId, runId } from "../../../shared/ids/ids.ts";
import { acceptEvent } from "../events/accept-event.ts";
import { expireRuns } from "../runs/dispatch.ts";
import { endRun, insertRun, readRun } from "../runs/run-rows.ts";
import { unscheduleWorkflow } from "../schedules/registered.ts";
import type { Turn } from "../state/commits.ts";
import type { EnvironmentContext } from "../state/context.ts";
import { readHistory } from "../storage/history-cursor.ts";
import { readRunJson } from "../views/run.ts";
import { summarizeRun } from "../views/runs.ts";

interface Found {
  readonly number: number;
  readonly run: RunSummary;
}

function find(context: EnvironmentContext, id: string, now: number): Found | null {
  const number = parseRunId(context.identity.environmentId, id);
  const run = number === null ? null : summarizeRun(context, number, now);
  return number === null || run === null ? null : { number, run };
}

function shown(context: EnvironmentContext, id: string, now: number): RunChange {
  const done = readRunJson(context, id, now);
  return done === null ? { failed: "not found" } : { done };
}

/** Whether a run of this id was here once, for all that is known: what is forgotten has ended. */
export function isForgotten({ sql, identity }: EnvironmentContext, id: string): boolean {
  const number = parseRunId(identity.environmentId, id);
  return number !== null && number < readHistory(sql).runs_forgotten_below;
}

/** Ends a run that has not ended. Its host is not told: what it goes on to say of the run changes nothing. */
export function cancelRun(context: EnvironmentContext, turn: Turn, id: string, now: number): RunChange {
  const found = find(context, id, now);
  if (!found) return isForgotten(context, id) ? { failed: "ended" } : { failed: "not found" };
  if (found.run.status !== "CANCELED") {
    if (runHasEnded(found.run.status)) return { failed: "ended" };
    endRun(context, turn, found.number, { status: "CANCELED" }, now);
  }
  return shown(context, id, now);
}

export function rerunRun(context: EnvironmentContext, turn: Turn, id: string, now: number): RunChange {
  const found = find(context, id, now);
  const row = found && readRun(context, found.number);
  if (!row) return { failed: isForgotten(context, id) ? "forgotten" : "not found" };
  const workflow = context.workflows.byNumber(row.workflow);
  if (!workflow || workflow.deregistered) return { failed: "gone" };
  const run = context.nextNumber();
  insertRun(context, turn, { run, workflow, event: row.event, now, isTest: row.is_test === 1, rerunOf: row.id });
  // It keeps the event, which does not name it: history/forget.ts.
  context.sql.exec("INSERT INTO reruns VALUES (?, ?)", row.event, run);
  return shown(context, runId(context.identity.environmentId, run), now);
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
  unscheduleWorkflow(context, turn, workflow.slug, now);
  const waiting = context.sql
    .exec<{ id: number }>("SELECT id FROM unfinished_runs WHERE workflow = ?", workflow.number)
    .toArray();
  for (const { id } of waiting) endRun(context, turn, id, { status: "CANCELED" }, now);
  return "done";
}

/** Starts one workflow with a payload, whatever its filter says: a test run. */
export function testWorkflow(
  context: EnvironmentContext,
  turn: Turn,
  slug: string,
  { payload, context: about, digest }: TestPayload,
  now: number,
): WorkflowTested {
  const workflow = context.workflows.bySlug(slug);
  if (!workflow || workflow.deregistered) return "not found";
  const { trigger } = workflow.definition;
  const event = { id: null, name: trigger.name, payload, context: about, digest, timestamp: null, delay: null };
  const origin = { kind: trigger.type, service: trigger.service, isTest: true, only: [workflow.number] };
  const outcome = acceptEvent(context, turn, event, origin, now);
  if (outcome.outcome === "too large") return "too large";
  if (outcome.outcome !== "accepted") throw new Error("a test's event was not accepted");
  return { event: outcome.event };
}

/** What came of these runs, after waiting for those that have not ended. Unknown ids are left out. */
export async function waitForRuns(
  context: EnvironmentContext,
  ids: readonly string[],
  waitMs: number,
  clock: () => number,
): Promise<{ ended: boolean; outcomes: string }> {
  const found = (): Found[] => ids.flatMap((id) => find(context, id, clock()) ?? []);
  const open = found().filter(({ run }) => !runHasEnded(run.status));
  if (open.length > 0) {
    const numbers = open.map(({ number }) => number);
    await context.runWaiters.until(numbers, waitMs);
  }
  const runs = found();
  const outcomes = runs.map(({ number, run: { id, workflow, status, error } }) => {
    const head = JSON.stringify({ id, workflow: workflow.slug, status, ...(error && { error }) });
    const output = readRun(context, number)?.output ?? null;
    return output === null ? head : `${head.slice(0, -1)},"output":${output}}`;
  });
  return { ended: runs.every(({ run }) => runHasEnded(run.status)), outcomes: `[${outcomes.join(",")}]` };
}
