// Offers waiting runs to hosts: the oldest run first, to the host with the fewest runs. An offer writes no row; the host's
// attachment remembers the run.
//
// No two hosts run the same run at once: a run is offered only after the transaction that stored it, and its host keeps it
// until the run ends or the host is lost. Tests: tests/workerd/hosts.test.ts.
import { runId } from "../../../shared/ids/ids.ts";
import { OFFERED_PER_TURN_MAX_CHARS } from "../../../shared/kernel/limits.ts";
import { errorName, log } from "../../../shared/kernel/log.ts";
import type { Turn } from "../state/commits.ts";
import type { EnvironmentContext } from "../state/context.ts";
import { type Host, isSuspect, sendFrame } from "../state/host.ts";
import type { WaitingRun } from "../state/run-queue.ts";
import { endRun } from "./run-rows.ts";
import { runScope } from "./run-scope.ts";
import { addStep } from "./step-rows.ts";

/**
 * Offers waiting runs of a workflow until no run waits or no host has room. The offers of one turn have a limited number of
 * characters, because frames stay in memory until they are sent. The next turn goes on.
 */
export function dispatchWorkflow(context: EnvironmentContext, turn: Turn, workflow: number, now: number): void {
  const { hosts } = context;
  if (context.workflows.byNumber(workflow)?.paused) return;
  const notNow: WaitingRun[] = [];
  let chars = 0;
  while (hosts.leastBusy(workflow) && chars < OFFERED_PER_TURN_MAX_CHARS) {
    const waiting = context.queue.next(context.sql, workflow, context.hosts, now);
    if (waiting.length === 0) break;
    for (const run of waiting) {
      if (hosts.held.holder(run.id)) continue;
      const host = hosts.leastBusy(workflow, isSuspect({ lostInARow: run.lost_in_a_row }));
      const offered = host && chars < OFFERED_PER_TURN_MAX_CHARS ? tryOffer(context, turn, host, run, now) : null;
      if (offered === null) notNow.push(run);
      else chars += offered;
    }
  }
  for (const run of notNow) {
    if (run.asleep) context.queue.rescanSleepingRuns(workflow);
    else context.queue.requeue(workflow, run.id);
  }
  if (chars < OFFERED_PER_TURN_MAX_CHARS) return;
  turn.afterwards(() => void context.commits.run((next) => next.dispatch(workflow)));
}

/**
 * Ends the runs whose time to live ended while no host was connected, before a host can take them. Readers have seen them
 * as timed out from that time on.
 */
export function expireRuns(context: EnvironmentContext, turn: Turn, workflow: number, now: number): void {
  const expired = context.sql
    .exec<{ id: number; expires_at: number }>(
      `SELECT id, expires_at FROM unfinished_runs
       WHERE workflow = ? AND attempts = 0 AND lost_in_a_row = 0 AND expires_at <= ?`,
      workflow,
      now,
    )
    .toArray();
  for (const { id, expires_at } of expired) endRun(context, turn, id, { status: "TIMED_OUT" }, expires_at);
}

/**
 * Offers a run. Returns the number of characters to send, or null if the run was not offered. An error concerns this run
 * only: the others are offered, and this one is tried again later.
 */
function tryOffer(context: EnvironmentContext, turn: Turn, host: Host, run: WaitingRun, now: number): number | null {
  try {
    return offer(context, turn, host, run, now);
  } catch (error) {
    context.hosts.held.release(run.id);
    log("error", "offer failed", { run: run.id, name: errorName(error) });
    return null;
  }
}

function offer(context: EnvironmentContext, turn: Turn, host: Host, run: WaitingRun, now: number): number {
  const frame = offerFrame(context, host, run);
  if (frame === null) {
    const error = { name: "InternalError", message: "the run's event is no longer stored" };
    endRun(context, turn, run.id, { status: "ERROR", error }, now);
    return 0;
  }
  if (run.lostAsleep) {
    addStep(context, { run: run.id, kind: "DISCONNECTION", attempt: run.attempts - 1, now, detail: {} });
  }
  // At once, not with the turn's other changes: the next run of this turn must see the host as busier.
  context.hosts.held.hold(host, {
    run: run.id,
    attempt: run.attempts,
    offeredAt: now,
    taken: false,
    startedAt: null,
    written: false,
    lostInARow: run.lost_in_a_row,
  });
  turn.afterwards(() => sendFrame(host, frame));
  return frame.length;
}

/** The frame that offers the run. Null if the run's event is gone. */
function offerFrame(context: EnvironmentContext, host: Host, run: WaitingRun): string | null {
  const [event] = context.sql.exec<{ payload: string; context: string | null }>(
    "SELECT payload, context FROM events WHERE id = ?",
    run.event,
  );
  if (!event) return null;
  return host.wire.offer({
    run: run.id,
    attempt: run.attempts,
    runId: runId(context.identity.environmentId, run.id),
    payload: event.payload,
    context: event.context,
    isTest: run.is_test === 1,
    origin: host.origin,
    scope: runScope(context, host),
  });
}
