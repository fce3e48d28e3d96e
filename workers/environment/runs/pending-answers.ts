// Pending answers: the results of delays and fetches, which the router sends later. A run that waits for one is asleep: its
// host's attachment no longer remembers it, the step's row names the host instead. So any number of runs can sleep, for a
// year, and cost nothing. The stored index is called `owed_steps`.
//
// A delay ends once, at its first due time or later, also if its host is lost meanwhile: then the answer waits in the row
// for the host that replays the run. Tests: tests/workerd/delays.test.ts, tests/workerd/fetch.test.ts.
import { runId } from "../../../shared/ids/ids.ts";
import type { Turn } from "../state/commits.ts";
import type { EnvironmentContext } from "../state/context.ts";
import { type HeldRun, type Host, hasRoomToWake, NO_HOST, sendFrame } from "../state/host.ts";
import type { StepRow } from "../storage/rows.ts";
import { clearLosses, readRun, writeStart } from "./run-rows.ts";
import { runScope } from "./run-scope.ts";
import {
  addPendingStep,
  addStep,
  findStep,
  finishPendingStep,
  hasPendingAnswer,
  type NewStep,
  noteDelivered,
  setWaitingHost,
} from "./step-rows.ts";

export interface RequestedAnswer extends NewStep {
  readonly key: string;
  readonly dueAt: number;
  readonly tries?: number;
  readonly sealed?: Uint8Array | null;
}

/**
 * A host asks for an answer that takes time. Returns true if the step is new. A finished step is answered at once. A step
 * that an earlier attempt asked for keeps its due time, and its answer goes to this host.
 */
export function requestAnswer(
  context: EnvironmentContext,
  turn: Turn,
  host: Host,
  held: HeldRun,
  step: RequestedAnswer,
): boolean {
  const known = findStep(context, held.run, step.kind, step.key);
  if (known?.finished_at != null) {
    sendAnswer(context, turn, host, known);
    return false;
  }
  if (known) {
    if (known.host !== host.id) {
      setWaitingHost(context, step, host.id);
    }
  } else {
    addPendingStep(context, { ...step, host: host.id, tries: step.tries ?? 0, sealed: step.sealed ?? null });
  }
  fallAsleep(context, turn, host, held);
  return !known;
}

function fallAsleep(context: EnvironmentContext, turn: Turn, host: Host, held: HeldRun): void {
  const awake = host.held.has(held.run);
  if (!awake) return;
  writeStart(context, turn, held.startedAt === null ? { ...held, startedAt: held.offeredAt } : held);
  const workflow = host.registration?.workflow;
  turn.apply(() => context.hosts.held.release(held.run));
  if (workflow !== undefined) turn.dispatch(workflow);
}

/** Stores the answer of a step and sends it to the host that waits. If the host is full, the answer waits for room. */
export function settleStep(
  context: EnvironmentContext,
  turn: Turn,
  step: StepRow,
  answer: { readonly result: string | null; readonly failed: boolean },
  now: number,
): void {
  const host = waitingHost(context, step);
  const deliverable = host === undefined || hasRoomToWake(host);
  const settled = finishPendingStep(context, step, answer, deliverable ? null : now, now);
  if (!settled) return;
  clearLosses(context, step.run);
  if (deliverable) wake(context, turn, host, settled, now);
}

/** Sends an answer that had to wait until its host had room. */
export function deliverSettled(context: EnvironmentContext, turn: Turn, step: StepRow, now: number): void {
  const host = waitingHost(context, step);
  if (host && !hasRoomToWake(host)) return;
  noteDelivered(context, step);
  wake(context, turn, host, step, now);
}

/** The connected host that waits for this step. None if the run was offered to another host since. */
function waitingHost(context: EnvironmentContext, step: StepRow): Host | undefined {
  const holder = context.hosts.held.holder(step.run);
  const host = context.hosts.byId(step.host);
  return holder === undefined || holder === host ? host : undefined;
}

function wake(context: EnvironmentContext, turn: Turn, host: Host | undefined, step: StepRow, now: number): void {
  const run = readRun(context, step.run);
  if (!run || run.finished_at !== null) return;
  if (host) sendAnswer(context, turn, host, step);
  if (context.hosts.held.holder(step.run)) return;
  if (hasPendingAnswer(context, step.run)) return;
  if (!host) {
    // No host runs it: the next host that is offered the run finds the answer stored.
    if (step.host !== NO_HOST) {
      addStep(context, { run: run.id, kind: "DISCONNECTION", attempt: Math.max(0, run.attempts - 1), now, detail: {} });
    }
    turn.apply(() => context.queue.requeue(run.workflow, run.id));
    turn.dispatch(run.workflow);
    return;
  }
  // At once, so that the next answer of this turn sees the host as fuller.
  context.hosts.held.hold(host, {
    run: run.id,
    attempt: Math.max(0, run.attempts - 1),
    offeredAt: now,
    taken: true,
    startedAt: run.started_at ?? now,
    written: true,
    lostInARow: 0,
  });
}

/** Sends the answer of a finished step to a host, after the answer to the call that asked for it. */
export function sendAnswer(
  context: EnvironmentContext,
  turn: Turn,
  host: Host,
  step: Pick<StepRow, "run" | "kind" | "key" | "failed" | "result">,
): void {
  const frame = host.wire.result({
    number: context.nextNumber(),
    runId: runId(context.identity.environmentId, step.run),
    kind: step.kind,
    key: step.key,
    failed: step.failed === 1,
    result: step.result,
    scope: runScope(context, host),
  });
  turn.afterwards(() => sendFrame(host, frame));
}
