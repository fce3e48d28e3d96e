// Answers that the router owes to a run: delays and fetches. While one is owed the run is asleep: it leaves its host's
// attachment and stands in the step's row, so that any number of runs can sleep, for a year, and cost nothing.
//
// A delay fires once, at its first due time or later, also when its host is lost meanwhile: then the answer waits in
// the row for whichever host replays the run. Tests: tests/workerd/delays.test.ts, tests/workerd/fetch.test.ts.
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

export interface OwedStep extends NewStep {
  readonly key: string;
  readonly dueAt: number;
  readonly tries?: number;
  readonly sealed?: Uint8Array | null;
}

/**
 * A host asks for an answer that takes time. Answers whether the step is new. A step that has its result is answered
 * with it at once; one that is still owed from an earlier attempt keeps its due time and is owed to this host now.
 */
export function owe(context: EnvironmentContext, turn: Turn, host: Host, held: HeldRun, step: OwedStep): boolean {
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

/** Stores the answer of a step and hands it to the host that waits, unless that host is gone or full for now. */
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

/** Hands over an answer that had to wait until its host had room. */
export function deliverSettled(context: EnvironmentContext, turn: Turn, step: StepRow, now: number): void {
  const host = waitingHost(context, step);
  if (host && !hasRoomToWake(host)) return;
  noteDelivered(context, step);
  wake(context, turn, host, step, now);
}

/** The connected host that sleeps over this step; none when the run has since been offered to another. */
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
    // Nobody runs it: whoever is offered it next finds the answer stored.
    if (step.host !== NO_HOST) {
      addStep(context, { run: run.id, kind: "DISCONNECTION", attempt: Math.max(0, run.attempts - 1), now, detail: {} });
    }
    turn.apply(() => context.queue.putBack(run.workflow, run.id));
    turn.dispatch(run.workflow);
    return;
  }
  // Applied at once, so that the next answer of this turn sees the host as fuller.
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
