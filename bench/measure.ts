// The arithmetic of the benchmark: times on one clock for all processes, quantiles, medians of rounds.

/** Milliseconds on the machine's monotonic clock: the same in every process, with parts of a microsecond. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** The smallest value that is at least as large as this part (0 to 1) of all values. NaN without values. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN;
}

export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** Summary of several rounds. */
export function spread(values: readonly number[]): Spread {
  // With an even number of rounds the median lies between the two in the middle.
  const median =
    (quantile(values, 0.5) -
      quantile(
        values.map((value) => -value),
        0.5,
      )) /
    2;
  return { median, least: Math.min(...values), most: Math.max(...values) };
}

/** Figures of several rounds, by their name. */
export class Rounds<Name extends string> {
  readonly #values = new Map<Name, number[]>();

  add(figures: Readonly<Partial<Record<Name, number>>>): void {
    for (const [name, value] of Object.entries(figures) as [Name, number][]) {
      this.#values.set(name, [...(this.#values.get(name) ?? []), value]);
    }
  }

  /** Null for a figure that was never measured. */
  spread(name: Name): Spread | null {
    const values = this.#values.get(name);
    return values === undefined ? null : spread(values);
  }
}
