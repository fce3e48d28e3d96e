// When a delivery that an environment did not take is handed over again. Pure.

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** The waits after the first try and each one that failed: ten more tries within 24 hours. */
export const RETRY_WAITS_MS: readonly number[] = [
  5 * SECOND,
  30 * SECOND,
  2 * MINUTE,
  10 * MINUTE,
  30 * MINUTE,
  HOUR,
  2 * HOUR,
  4 * HOUR,
  6 * HOUR,
  8 * HOUR,
];
/** Up to so much of a wait is added, so that what failed together does not come back together. */
const JITTER = 0.1;

/** The time of the next try after as many that failed; null after the last: the delivery is parked. `random` is in [0, 1). */
export function nextTryAt(failed: number, now: number, random: number): number | null {
  const wait = RETRY_WAITS_MS[failed - 1];
  return wait === undefined ? null : now + Math.floor(wait * (1 + JITTER * random));
}
