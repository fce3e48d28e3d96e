// Hosts that may be gone: an offer that is not answered goes to another host, a silent host is probed, and a host that
// does not acknowledge its probe loses its runs (times: state/liveness-times.ts). Tests: tests/workerd/liveness.test.ts.
import { log } from "../../../shared/kernel/log.ts";
import type { Turn } from "../state/commits.ts";
import type { EnvironmentContext } from "../state/context.ts";
import { type Host, sendFrame } from "../state/host.ts";
import { checkHost, offerEndsAt } from "../state/liveness-times.ts";
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

/** Takes back offers without an answer, probes silent hosts, and gives up hosts that stay silent. */
export function checkHosts(context: EnvironmentContext, turn: Turn, now: number): void {
  for (const held of [...context.hosts.held.unanswered()]) {
    if (offerEndsAt(held) > now) break;
    const host = context.hosts.held.holder(held.run);
    const workflow = host?.registration?.workflow;
    if (!host || workflow === undefined) continue;
    context.hosts.silence(host);
    logSilence(context, turn, host);
    context.hosts.held.release(held.run);
    requeueLostRuns(context, turn, workflow, [held], now);
  }
  for (const host of context.hosts.all()) {
    const action = checkHost(host, now);
    if (action === "probe") probe(context, turn, host, now);
    else if (action === "give up") giveUp(context, turn, host, now);
  }
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
