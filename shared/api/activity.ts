// What went on in an environment lately, for a person's first glance.

/** Runs and events that are counted; with more, the counts begin later than an hour ago, at `from`. */
export const COUNTED_MAX = 20_000;
export const MINUTES_SHOWN = 60;

export interface ActivityMinute {
  /** ISO date of the minute's beginning. */
  readonly at: string;
  readonly events: number;
  readonly runs: number;
  /** Runs made in this minute that have ended with an error, or found no host in time. */
  readonly failures: number;
  /** Of the runs made in this minute that have ended, from start to end, in milliseconds; null when there are none. */
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
}

/** Something that a person should look at. */
export interface Attention {
  /**
   * `no host`: runs wait and nobody serves the workflow. `failing`: runs of the last hour have failed. `refused`: the last
   * registration was refused.
   */
  readonly kind: "no host" | "failing" | "refused";
  readonly workflow: string;
  /** Runs that wait, or that failed; 0 for a refusal. */
  readonly runs: number;
  /** What a refusal said. */
  readonly message?: string;
}

export interface Activity {
  readonly hosts: number;
  readonly workflows: number;
  /** Whether the environment has ever had a run. */
  readonly hasRuns: boolean;
  /** ISO date from which on is counted: an hour ago, or later. */
  readonly from: string;
  /** The last hour, the oldest first. */
  readonly minutes: readonly ActivityMinute[];
  readonly attention: readonly Attention[];
}
