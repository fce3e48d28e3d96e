// Whether hosts are there. A socket whose process vanished without a close is not noticed by the platform, so: an
// offer that is not answered goes to another host, and a host that holds runs and says nothing is probed. A host with
// nothing in flight, or only sleeping runs, is left alone, so that an idle environment hibernates.
// Tests: tests/workerd/liveness.test.ts.
import { HOST_SILENT_MS, OFFER_ANSWERED_WITHIN_MS, PROBE_ANSWERED_WITHIN_MS } from "../../../shared/kernel/limits.ts";
import { log } from "../../../shared/kernel/log.ts";
import type { Turn } from "../state/commits.ts";
import type { EnvironmentContext } from "../state/context.ts";
import { type Host, sendFrame } from "../state/host.ts";
import { expireRuns } from "./dispatch.ts";
import { requeueLostRuns } from "./lost-runs.ts";

/** The host sent a frame: it is there, whatever the frame says. A host that was silent gets runs again. */
export function recordHeartbeat(context: EnvironmentContext, host: Host, now: number): void {
  const workflow = host.registration?.workflow;
  const wasSilent = host.standing === "silent";
  const served = wasSilent && workflow !== undefined && context.hosts.serves(workflow);
  context.hosts.recordHeartbeat(host, now, context.nextNumber);
  if (!wasSilent || workflow === undefined) return;
  void context.commits.run((turn) => {
    if (!served) expireRuns(context, turn, workflow, now);
    turn.dispatch(workflow);
  });
}

/** When the next offer or probe runs out, or null. Unix milliseconds on the router's clock. */
export function nextLivenessTime(context: Pick<EnvironmentContext, "hosts">): number | null {
  let next = Number.POSITIVE_INFINITY;
  for (const held of context.hosts.held.unanswered()) {
    next = held.offeredAt + OFFER_ANSWERED_WITHIN_MS;
    break;
  }
  for (const host of context.hosts.all()) {
    if (!hasTaken(host)) continue;
    const at = host.probedAt === null ? host.heardAt + HOST_SILENT_MS : host.probedAt + PROBE_ANSWERED_WITHIN_MS;
    next = Math.min(next, at);
  }
  return next === Number.POSITIVE_INFINITY ? null : next;
}

/** Takes back offers that were not answered, probes hosts that are silent, and gives up those that stay so. */
export function checkHosts(context: EnvironmentContext, turn: Turn, now: number): void {
  for (const held of [...context.hosts.held.unanswered()]) {
    if (held.offeredAt + OFFER_ANSWERED_WITHIN_MS > now) break;
    const host = context.hosts.held.holder(held.run);
    const workflow = host?.registration?.workflow;
    if (!host || workflow === undefined) continue;
    context.hosts.silence(host);
    logSilence(context, turn, host);
    context.hosts.held.release(held.run);
    requeueLostRuns(context, turn, workflow, [held], now);
  }
  for (const host of context.hosts.all()) {
    if (!hasTaken(host)) continue;
    if (host.probedAt === null && host.heardAt + HOST_SILENT_MS <= now) probe(context, turn, host, now);
    else if (host.probedAt !== null && host.probedAt + PROBE_ANSWERED_WITHIN_MS <= now)
      giveUp(context, turn, host, now);
  }
}

/** Whether a silence of the host means anything: offers that it has not answered yet are probes themselves. */
function hasTaken({ held }: Host): boolean {
  for (const run of held.values()) if (run.taken) return true;
  return false;
}

function probe(context: EnvironmentContext, turn: Turn, host: Host, now: number): void {
  context.hosts.noteProbe(host, now);
  const frame = host.wire.probe(context.nextNumber());
  turn.afterwards(() => sendFrame(host, frame));
}

function giveUp(context: EnvironmentContext, turn: Turn, host: Host, now: number): void {
  const lost = context.hosts.giveUp(host);
  logSilence(context, turn, host);
  const workflow = host.registration?.workflow;
  if (workflow !== undefined) requeueLostRuns(context, turn, workflow, lost, now);
}

function logSilence({ identity }: EnvironmentContext, turn: Turn, { keyId }: Host): void {
  turn.afterwards(() => log("warn", "host silent", { environment: identity.environmentId, key: keyId }));
}
