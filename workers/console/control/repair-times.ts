// When Repairs acts. Pure.

/**
 * A change that is announced is committed or given up within this time: queries of one request end after 10 s, see
 * world.ts. A repair that came earlier could find nothing owed and forget a change that is committed after it.
 */
export const SETTLED_WITHIN_MS = 30_000;
const FIRST_WAIT_MS = 30_000;
/** Postgres is asked once an hour at most for as long as something cannot be repaired. */
const LONGEST_WAIT_MS = 3_600_000;

/** The time of the next try after as many that failed. */
export function nextRepairAt(failed: number, now: number): number {
  return now + Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failed, 20));
}
