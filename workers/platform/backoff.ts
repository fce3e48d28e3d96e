// Exponential back-off, for every retry of the router. Pure.

export interface Backoff {
  /** Wait after the first failure, in milliseconds. */
  readonly firstMs: number;
  /** Upper limit of a wait, in milliseconds. */
  readonly longestMs: number;
  /** Growth from one wait to the next; 2 unless given. */
  readonly factor?: number;
}

/** Milliseconds to wait after this many failures in a row. Zero and one failure wait `firstMs`. */
export function backoffMs(failures: number, { firstMs, longestMs, factor = 2 }: Backoff): number {
  return Math.min(longestMs, firstMs * factor ** Math.max(0, failures - 1));
}
