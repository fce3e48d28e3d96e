// Runs whose host was lost: they are offered again, and a run that keeps losing its hosts ends.
import { LOST_ATTEMPT_WAITS_MS, LOST_ATTEMPTS_MAX } from "../../../shared/kernel/limits.ts";
import type { Turn } from "../state/commits.ts";
import type { EnvironmentContext } from "../state/context.ts";
import { type HeldRun, isSuspect } from "../state/host.ts";
import { clearLosses, endRun, logTransition, writeLoss } from "./run-rows.ts";
import { addStep, disownPendingAnswers } from "./step-rows.ts";

/**
 * Has the runs of a lost host offered again. An attempt that the host took is counted and shown; an offer that it did not
 * take is just made again. Nobody knows which run brought the host down, so all are blamed, unless one was a suspect.
 */
export function requeueLostRuns(
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
    else turn.apply(() => context.queue.requeue(workflow, held.run));
    // Only a run that once was asleep can have a pending answer.
    if (held.attempt > 0 || held.written) disownPendingAnswers(context, held.run);
  }
  turn.apply(() => context.queue.rescanSleepingRuns(workflow));
  turn.dispatch(workflow);
}

/**
 * Counts a lost attempt. A blamed run waits longer after each loss. After LOST_ATTEMPTS_MAX losses in a row without a new
 * result of a step it ends, so that a run which kills its hosts does not take others with it.
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
  writeLoss(context, held, inARow, wait > 0 ? now + wait : null);
  if (inARow >= LOST_ATTEMPTS_MAX) {
    const message = `host lost: ${inARow} attempts in a row were lost with their host, without a new result of a step`;
    endRun(context, turn, held.run, { status: "ERROR", error: { name: "HostLost", message } }, now);
    return;
  }
  logTransition(context, turn, held.run, context.workflows.byNumber(workflow)?.slug, "DISCONNECTED");
  turn.apply(() => {
    if (wait > 0) context.queue.postpone(workflow, held.run, now + wait);
    else context.queue.requeue(workflow, held.run);
  });
}

/** A step of the run has a new result: the run made progress, so losses count from one again. */
export function noteProgress(context: EnvironmentContext, turn: Turn, held: HeldRun): void {
  if (held.lostInARow === 0) return;
  clearLosses(context, held.run);
  turn.apply(() => context.hosts.held.noteProgress(held.run));
  // The run is a suspect no more, so the next suspect may go to its host.
  const workflow = context.hosts.held.holder(held.run)?.registration?.workflow;
  if (workflow !== undefined) turn.dispatch(workflow);
}
