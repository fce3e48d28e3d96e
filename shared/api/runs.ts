// A run as the API shows it. Dates are ISO strings; a field that has no value is absent.

export type RunStatus = "PENDING" | "RUNNING" | "DISCONNECTED" | "SUCCESS" | "ERROR" | "TIMED_OUT" | "CANCELED";
export const RUN_STATUSES: readonly RunStatus[] = [
  "PENDING",
  "RUNNING",
  "DISCONNECTED",
  "SUCCESS",
  "ERROR",
  "TIMED_OUT",
  "CANCELED",
];

/** `SUCCESS`, `ERROR`, `TIMED_OUT` and `CANCELED` are ends and never change. */
export function runHasEnded(status: RunStatus): boolean {
  return status === "SUCCESS" || status === "ERROR" || status === "TIMED_OUT" || status === "CANCELED";
}

export interface RunError {
  readonly name: string;
  readonly message: string;
  readonly stackTrace?: string;
}

/** A run in a list. */
export interface RunSummary {
  readonly id: string;
  readonly environmentId: string;
  readonly workflow: { readonly slug: string; readonly name: string };
  readonly status: RunStatus;
  readonly isTest: boolean;
  /** The run that this one repeats. */
  readonly rerunOf?: string;
  /** How often the run was started on a host. */
  readonly attempts: number;
  readonly createdAt: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
  readonly timedOutAt?: string;
  readonly timedOutReason?: string;
  readonly error?: RunError;
  readonly event: { readonly id: string; readonly name: string; readonly timestamp: string };
}

export interface Task {
  readonly key: string;
  readonly type: string;
  /** A step is pending while its answer is owed. */
  readonly status: "PENDING" | "SUCCESS" | "ERROR";
  readonly attempt: number;
  readonly createdAt: string;
  readonly finishedAt?: string;
  readonly [detail: string]: unknown;
}

/** A run by itself: its event in full, its steps in order, its output. */
export interface Run extends Omit<RunSummary, "event"> {
  readonly event: RunSummary["event"] & { readonly payload: unknown; readonly context?: unknown };
  readonly output?: unknown;
  readonly tasks: readonly Task[];
  /** How many steps this answer leaves out because it would be too large. */
  readonly tasksOmitted?: number;
}

/** What came of a run, for a sender who waited for it. */
export interface RunOutcome {
  readonly id: string;
  readonly workflow: string;
  readonly status: RunStatus;
  readonly output?: unknown;
  readonly error?: RunError;
}

export interface RunsPage {
  readonly data: readonly RunSummary[];
  /** The cursor of the next page, or null at the end. */
  readonly next: string | null;
}

export interface RunsPageQuery {
  /** From 1. */
  readonly page: number;
  readonly limit: number;
  readonly status: RunStatus | null;
}

export interface RunsQuery {
  readonly limit: number;
  readonly cursor: string | null;
  readonly status: RunStatus | null;
  /** Made at this time or later, and before `until`; Unix milliseconds. */
  readonly from?: number;
  readonly until?: number;
  readonly isTest?: boolean;
  /** A run's id, or what its event's id or name, or its error, contains in upper or lower case. */
  readonly text?: string;
}
