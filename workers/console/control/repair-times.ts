// Times of the object Repairs. Pure.
import { type Backoff, backoffMs } from "../../platform/backoff.ts";

/**
 * A change is committed or given up within this time after its ticket was taken: the queries of one request end after
 * 10 s, see services.ts. An earlier repair could find nothing to push and drop the ticket of a change that commits later.
 */
export const SETTLED_WITHIN_MS = 30_000;
/** The longest wait bounds the queries to Postgres at one an hour while an environment cannot be repaired. */
const WAITS: Backoff = { firstMs: 30_000, longestMs: 3_600_000 };

/** Time of the next attempt after this many failures. */
export function nextRepairAt(failures: number, now: number): number {
  return now + backoffMs(failures, WAITS);
}
