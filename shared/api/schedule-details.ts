// A schedule of an environment as the API shows it.

export interface ScheduleDetails {
  /** `workflow:<slug>` for one that a workflow registered, `sch_…` for one of the organization. */
  readonly id: string;
  /** The workflow that registered it, by slug; null for one of the organization. */
  readonly workflow: string | null;
  /** The organization's name for it; null for one that a workflow registered. */
  readonly name: string | null;
  /** Either `cron` is there, or `everySeconds`. */
  readonly cron: string | null;
  readonly timezone: string | null;
  readonly everySeconds: number | null;
  /** The name of the event that it emits. */
  readonly event: string;
  /** Whether it is switched on here. */
  readonly enabled: boolean;
  /** The last time that it was due and emitted; ISO date. */
  readonly lastRunAt: string | null;
  /** The next times, five at most; none while it is off, or all of the environment's are. */
  readonly nextTimes: readonly string[];
}

export interface SchedulesQuery {
  readonly limit: number;
  /** The last id of the page before. */
  readonly cursor: string | null;
}

export interface SchedulesPage {
  readonly data: readonly ScheduleDetails[];
  readonly next: string | null;
}
