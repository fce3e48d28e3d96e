// What an environment's object and the archive say to each other: runs and events that have ended on their way to Postgres,
// and pages of what is there. Numbers are those of shared/ids/ids.ts; texts are JSON as the API shows it.
import type { RunStatus } from "../api/runs.ts";
import type { TriggerKind } from "../wire/reference/triggers.ts";

export interface ArchivedEvent {
  readonly id: number;
  readonly senderId: string | null;
  readonly name: string;
  readonly kind: TriggerKind;
  /** An `EventSummary`, whose runs have no status. */
  readonly summary: string;
  readonly payload: string;
  readonly context: string | null;
}

export interface ArchivedRun {
  readonly id: number;
  readonly event: number;
  /** The workflow's slug. */
  readonly workflow: string;
  readonly status: RunStatus;
  readonly isTest: boolean;
  readonly durationMs: number | null;
  /** A `RunSummary`. */
  readonly summary: string;
  readonly output: string | null;
}

/** Some of a run's steps, in their order: `body` is a JSON array without its brackets. Parts count from 0. */
export interface ArchivedSteps {
  readonly run: number;
  readonly part: number;
  readonly count: number;
  readonly body: string;
}

export interface ArchivedRows {
  readonly events: readonly ArchivedEvent[];
  readonly runs: readonly ArchivedRun[];
  readonly steps: readonly ArchivedSteps[];
}

export interface HistoryQuery {
  /** Only ids below it. */
  readonly before: number;
  readonly limit: number;
}
export interface HistoryRunsQuery extends HistoryQuery {
  readonly status: RunStatus | null;
  readonly workflow: string | null;
  readonly isTest: boolean | null;
  /** Only ids from here on. */
  readonly from: number;
  /** What the event's payload, the output, the error or a name must contain, in whatever case; null for anything. */
  readonly text: string | null;
}
export interface HistoryEventsQuery extends HistoryQuery {
  readonly name: string | null;
  readonly kind: TriggerKind | null;
}

/** A page, the newest first. */
export interface HistoryPage {
  readonly rows: readonly { readonly id: number; readonly json: string }[];
  /** There is nothing more down to here, 0 for the end: looking for a text stops after a while. */
  readonly reached: number;
}

/** Runs made in an hour; quantiles of those that started, exact to five percent; null when there are none. */
export interface HistoryHour {
  /** ISO date of the hour's beginning. */
  readonly hour: string;
  readonly workflow: string;
  readonly runs: number;
  readonly failures: number;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
}

export interface Forgetting {
  readonly environmentId: string;
  /** Unix milliseconds; what was made before is forgotten. Null: all of it, and its hours too. */
  readonly before: number | null;
  readonly now: number;
}

export interface ArchiveRpc {
  /** Stores them all or none. May be repeated: what is there stays as it is, and is counted once. */
  store(environmentId: string, rows: ArchivedRows): Promise<void>;
  /**
   * Forgets an environment's older history in slices, and the months that no environment keeps. Answers whether all that
   * it was asked to forget is gone; the next call goes on.
   */
  forget(forgetting: Forgetting): Promise<boolean>;
  listRuns(environmentId: string, query: HistoryRunsQuery): Promise<HistoryPage>;
  /** Runs in full, as one is answered by itself. */
  exportRuns(environmentId: string, query: HistoryQuery): Promise<HistoryPage>;
  listEvents(environmentId: string, query: HistoryEventsQuery): Promise<HistoryPage>;
  getRun(environmentId: string, id: number): Promise<string | null>;
  /** By number, or by the sender's id. */
  getEvent(environmentId: string, id: number | null, senderId: string): Promise<string | null>;
  /** From the one time to before the other, in Unix milliseconds; the oldest first. */
  hours(environmentId: string, from: number, to: number): Promise<readonly HistoryHour[]>;
}
