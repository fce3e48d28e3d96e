// What the objects that keep schedules answer to each other. An environment's object has its schedules and decides what
// is due; a ScheduleBook knows only when to ask which environment, so that one look at the clock serves thousands.

/** A schedule of the organization, as the control plane tells each environment. */
export interface OrganizationSchedule {
  /** `sch_…` */
  readonly id: string;
  readonly name: string;
  readonly cron: string;
  readonly timezone: string;
  /** The name of the custom event that it emits, and its payload as JSON text. */
  readonly event: string;
  readonly payload: string;
  readonly enabled: boolean;
}

/** When an environment has something due next; null for never. What is newer by version holds. */
export interface Wake {
  readonly environmentId: string;
  /** Unix milliseconds. */
  readonly at: number | null;
  readonly version: number;
}

/** What a book holds of an environment. */
export type Held = Omit<Wake, "environmentId">;

/** `gone`: the environment was deleted, or never was. */
export type Emitted = { readonly next: Held; readonly events: number } | "gone";

export interface TickOutcome {
  /** Environments that emitted what was due. */
  readonly environments: number;
  readonly events: number;
  /** Environments that could not be reached; the next tick asks them again. */
  readonly failed: number;
}

export interface ScheduleBookRpc {
  /** Answers what the book holds now: something else than it was told when it holds something newer. */
  wakeAt(wake: Wake): Promise<Held>;
  /** Has every environment that has something due by `time` emit it. May come twice, late, out of order, or never. */
  tick(time: number): Promise<TickOutcome>;
}

const BOOKS = 8;

/** The names of all books: the Cron Trigger tells each of them the time. */
export const BOOK_NAMES: readonly string[] = Array.from({ length: BOOKS }, (_, number) => `book_${number}`);

/** The book of an organization's environments. Ids are random, so books are about equally full. */
export function bookName(organizationId: string): string {
  let sum = 0;
  for (const character of organizationId) sum += character.charCodeAt(0);
  return BOOK_NAMES[sum % BOOKS] ?? "";
}
