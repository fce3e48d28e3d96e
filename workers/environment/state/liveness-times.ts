// When a host must be checked, and what a check finds. Pure. Times are Unix milliseconds on the router's clock.
//
// A socket stays open when its process vanishes without a close, and the platform does not notice. So an offer without an
// answer, and a silent host that holds runs, are checked by the clock. A host without held runs is left alone, so that an
// idle environment hibernates.
import { HOST_SILENT_MS, OFFER_ANSWERED_WITHIN_MS, PROBE_ANSWERED_WITHIN_MS } from "../../../shared/kernel/limits.ts";
import type { HeldRun, Host } from "./host.ts";
import type { Hosts } from "./hosts.ts";

/** Time at which an offer without an answer goes to another host. */
export function offerEndsAt({ offeredAt }: Pick<HeldRun, "offeredAt">): number {
  return offeredAt + OFFER_ANSWERED_WITHIN_MS;
}

type Watched = Pick<Host, "held" | "heardAt" | "probedAt">;

/** Time at which the host is probed, or given up if it is probed already; null for a host that holds no taken run. */
export function checkAt(host: Watched): number | null {
  if (!hasTaken(host)) return null;
  return host.probedAt === null ? host.heardAt + HOST_SILENT_MS : host.probedAt + PROBE_ANSWERED_WITHIN_MS;
}

/** The action that a check at this time asks for; null for none. */
export function checkHost(host: Watched, now: number): "probe" | "give up" | null {
  const at = checkAt(host);
  if (at === null || at > now) return null;
  return host.probedAt === null ? "probe" : "give up";
}

/** The earliest time at which some host must be checked; null for never. */
export function nextLivenessTime({ hosts }: { readonly hosts: Pick<Hosts, "all" | "held"> }): number | null {
  let next = Number.POSITIVE_INFINITY;
  for (const held of hosts.held.unanswered()) {
    next = offerEndsAt(held);
    break;
  }
  for (const host of hosts.all()) next = Math.min(next, checkAt(host) ?? next);
  return next === Number.POSITIVE_INFINITY ? null : next;
}

/** Offers without an answer do not count: they are probes themselves. */
function hasTaken({ held }: Watched): boolean {
  for (const run of held.values()) if (run.taken) return true;
  return false;
}
