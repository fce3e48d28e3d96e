// The status of a run, derived from its row and from the host that holds it. Only ends are stored. Pure.
import type { RunStatus } from "../../../shared/api/runs.ts";

export interface StatusFacts {
  /** The stored end, or null. */
  readonly ended: RunStatus | null;
  /** Attempts known to have started. */
  readonly attempts: number;
  /** A connected host has started the run. The run may be asleep there. */
  readonly running: boolean;
  /** A host of the run's workflow is connected, busy or not. */
  readonly hostConnected: boolean;
  /** Unix milliseconds at which the run's time to live ends. */
  readonly expiresAt: number;
}

/**
 * An end never changes. A run that no host could take within its time to live has timed out from then on, also before
 * that end is stored.
 */
export function runStatus(facts: StatusFacts, now: number): RunStatus {
  if (facts.ended) return facts.ended;
  if (facts.running) return "RUNNING";
  if (facts.attempts > 0) return "DISCONNECTED";
  return now >= facts.expiresAt && !facts.hostConnected ? "TIMED_OUT" : "PENDING";
}
