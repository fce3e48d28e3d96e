// The status of a run, derived from its row and from the host that holds it. Only ends are stored.
import type { RunStatus } from "../../../shared/api/runs.ts";

export interface StatusFacts {
  /** The end that was stored, or null. */
  readonly ended: RunStatus | null;
  /** Attempts known to have started. */
  readonly attempts: number;
  /** A connected host has the run and has started it; it may be asleep there. */
  readonly running: boolean;
  /** A host of the run's workflow is connected, be it busy. */
  readonly hostConnected: boolean;
  /** Unix milliseconds at which the run's time to live ends. */
  readonly expiresAt: number;
}

/**
 * An end never changes. A run that never started and that no host could take within its time to live has timed out
 * from that moment on, also while nobody has written it down yet.
 */
export function runStatus(facts: StatusFacts, now: number): RunStatus {
  if (facts.ended) return facts.ended;
  if (facts.running) return "RUNNING";
  if (facts.attempts > 0) return "DISCONNECTED";
  return now >= facts.expiresAt && !facts.hostConnected ? "TIMED_OUT" : "PENDING";
}
