// What the Environment object answers to the Workers that call it. The class in workers/environment implements it;
// the Workers see only this interface, so that none imports another's inside.
import type { Activity } from "../api/activity.ts";
import type { AcceptedEvent, EventOutcome, EventSummary, EventsQuery, Explanation, NewEvent } from "../api/events.ts";
import type { RunSummary, RunsPageQuery, RunsQuery } from "../api/runs.ts";
import type { ScheduleDetails, SchedulesPage, SchedulesQuery } from "../api/schedule-details.ts";
import type { WorkflowsPage, WorkflowsQuery } from "../api/workflows.ts";
import type { HistoryHour } from "./archive.ts";
import type { Emitted, OrganizationSchedule } from "./schedule-book.ts";

/** A key as the object needs it. Its text is never stored: it can be derived from the ids. */
export interface ActiveKey {
  readonly id: string;
  /** What the key may do; an empty list means everything. */
  readonly scopes: readonly KeyScope[];
  /** Unix milliseconds, or null for a key without an end. */
  readonly expiresAt: number | null;
}

export type KeyScope = "events:send" | "workflows:connect" | "runs:read";
/** What a call needs: a scope, or a key without limits. */
export type NeededScope = KeyScope | "all";

/**
 * The whole desired state of an environment, pushed by the control plane. A push with a revision that is not newer
 * than the stored one changes nothing, so pushes may be repeated and may arrive out of order.
 */
export interface EnvironmentState {
  readonly revision: number;
  readonly organization: { readonly id: string; readonly slug: string };
  readonly environment: { readonly id: string; readonly slug: string };
  readonly keys: readonly ActiveKey[];
  /** What reaches the environment besides events posted with its keys; both when left out. */
  readonly receives?: { readonly webhooks: boolean; readonly schedules: boolean };
  /** Days that the object keeps what has ended, and days that Postgres does; the defaults when left out. */
  readonly retention?: { readonly days: number; readonly historyDays: number };
  /** Those of the organization; none when left out. */
  readonly schedules?: readonly OrganizationSchedule[];
}

/**
 * In place of a key's id: a call for a signed-in member, whose rights the console has checked. No key has this id, and
 * none that comes from outside can be it: the ingress takes ids only out of keys whose tag it has verified.
 */
export const MEMBER = "member";

export interface EnvironmentControl {
  /** Creates or updates the environment; runs the storage migrations. Answers the revision now in force. */
  provision(state: EnvironmentState): Promise<{ revision: number }>;
  /** Deletes everything and leaves one row that says so. A deleted environment refuses for ever. */
  deprovision(): Promise<void>;
  /** When each key was last used, in Unix milliseconds to the minute; a key with an open socket is in use now. */
  keyUses(): Promise<Record<string, number>>;
  /** A delivery of a webhook source. May be repeated: the event's id makes it one. */
  receiveDelivery(delivery: Delivery): Promise<DeliveryOutcome>;
  /** Hands to Postgres what has ended, and forgets what is old; answers when that is done, or has failed. */
  archive(): Promise<Archived>;
  /** Emits what is due by `time`, in Unix milliseconds, and says when something is due next. May be repeated. */
  emitSchedules(time: number): Promise<Emitted>;
  /** Fires what is due after the movable clock was moved. */
  clockMoved(): Promise<void>;
}

/** A webhook delivery on its way from its source, which has verified it, into an environment. */
export interface Delivery {
  readonly service: string;
  /** Null for a delivery that is not named: it is matched against each workflow of the service under that one's own name. */
  readonly name: string | null;
  /** What the event is made of. The id is the source's, so that a delivery handed over twice is routed once. */
  readonly event: Pick<NewEvent, "payload" | "context" | "digest"> & { readonly id: string };
  /** Unix milliseconds when the source received it. */
  readonly receivedAt: number;
}

/** `accepted`: stored, now or before. `failed`: try again. The others are for good, unless the environment changes. */
export type DeliveryOutcome =
  | { readonly outcome: "accepted"; readonly event: AcceptedEvent }
  | { readonly outcome: "failed" | "conflict" | "too large" | "not received" | "gone" };

/**
 * The key is unknown here, revoked or expired, or the environment does not exist: all one answer, `key`. An active key
 * without the scope is told so.
 */
export type Refusal = "key" | "scope";
export type Answer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly refused: Refusal };

/** The calls made with an API key. Each checks the key in the same call that does the work. */
export type ExportQuery = Pick<RunsQuery, "cursor" | "limit">;

export interface EnvironmentCalls {
  /** Accepts or refuses each event on its own; outcomes in the order of the events. */
  postEvents(keyId: string, events: readonly NewEvent[]): Promise<Answer<EventOutcome[]>>;
  /** A `Run` as JSON text, since payloads may be nested deeper than a call can carry. Null when there is none here. */
  getRun(keyId: string, id: string): Promise<Answer<Found>>;
  listEvents(keyId: string, query: EventsQuery): Promise<Answer<Slice<EventSummary> | "no such cursor">>;
  /** `EventDetails` as JSON text; null when there is none here. Takes the sender's id, or the router's. */
  getEvent(keyId: string, id: string): Promise<Answer<Found>>;
  listRuns(keyId: string, query: RunsQuery): Promise<Answer<Slice<RunSummary> | "no such cursor">>;
  /** As `listRuns`, each in full as JSON text. */
  exportRuns(keyId: string, query: ExportQuery): Promise<Answer<Slice<string> | "no such cursor">>;
  readHistoryStatus(keyId: string): Promise<Answer<HistoryStatus>>;
  /** Ended runs that are not counted in Postgres yet, by hour and workflow; as `ArchiveRpc.hours`. */
  readHours(keyId: string, from: number, to: number): Promise<Answer<readonly HistoryHour[]>>;
  listWorkflowRuns(
    keyId: string,
    slug: string,
    query: RunsQuery,
  ): Promise<Answer<Slice<RunSummary> | "no such cursor" | "no such workflow">>;
  /** A numbered page, counted; null when there is no such workflow. */
  pageWorkflowRuns(
    keyId: string,
    slug: string,
    query: RunsPageQuery,
  ): Promise<Answer<{ data: RunSummary[]; totalCount: number } | null>>;
  /** By slug, after the one named by `cursor`. */
  listWorkflows(keyId: string, query: WorkflowsQuery): Promise<Answer<WorkflowsPage>>;
  /** Whether the key may do this, for a request that is refused for its form: a bad key is refused first. */
  checkKey(keyId: string, scope: NeededScope): Promise<Answer<null>>;
  /** Which workflows the event would start, and which part of the filter stops the others of its name. Stores nothing. */
  explainEvent(keyId: string, event: NewEvent): Promise<Answer<Explanation[]>>;
  /** Waits until all have ended or the time is over; what came of each by then, as JSON text of `RunOutcome[]`. */
  waitForRuns(
    keyId: string,
    ids: readonly string[],
    waitMs: number,
  ): Promise<Answer<{ readonly ended: boolean; readonly outcomes: string }>>;
  cancelRun(keyId: string, id: string): Promise<Answer<RunChange>>;
  /** A new run of the same workflow with the same event, that names the old one. */
  rerunRun(keyId: string, id: string): Promise<Answer<RunChange>>;
  changeWorkflow(keyId: string, slug: string, change: WorkflowChange): Promise<Answer<WorkflowChanged>>;
  /** The last hour in numbers; some seconds old at most. */
  readActivity(keyId: string): Promise<Answer<Activity>>;
  testWorkflow(keyId: string, slug: string, test: TestPayload): Promise<Answer<WorkflowTested>>;
  /** By id, after the one named by `cursor`. */
  listSchedules(keyId: string, query: SchedulesQuery): Promise<Answer<SchedulesPage>>;
  /** Null when there is no such schedule here. */
  switchSchedule(keyId: string, id: string, enabled: boolean): Promise<Answer<ScheduleDetails | null>>;
  /** Emits a schedule now, as a test; null when there is none. */
  fireSchedule(keyId: string, id: string): Promise<Answer<AcceptedEvent | null>>;
}

/** `complete`: false when Postgres could not be reached. It is tried again by itself. */
export type Archived = { readonly runs: number; readonly events: number; readonly complete: boolean } | "gone";

/** A page of what the object has. Below `forgottenBelow` it lacks what is in Postgres only; 0 when it lacks nothing. */
export interface Slice<T> {
  readonly data: readonly T[];
  /** The number of each, in the same order; pages go on from a number. */
  readonly numbers: readonly number[];
  /** The cursor of the next page, or null at the end. */
  readonly next: string | null;
  readonly forgottenBelow: number;
}

/** A run or an event as JSON text; `forgotten`: it is in Postgres, if anywhere. */
export type Found = { readonly json: string } | "forgotten" | null;

/** What a person is told of an environment's history. */
export interface HistoryStatus {
  /** Not in Postgres yet; counted up to BACKLOG_COUNTED. */
  readonly backlog: { readonly runs: number; readonly events: number };
  /** ISO dates. */
  readonly archivedAt: string | null;
  readonly nextAt: string | null;
  /** Tries that failed one after the other. */
  readonly failures: number;
  readonly storageBytes: number;
  readonly storageMaxBytes: number;
}

/** What a workflow is tested with, as JSON text. The digest is of both. */
export type TestPayload = Pick<NewEvent, "payload" | "context" | "digest">;
export type WorkflowTested = { readonly event: AcceptedEvent } | "not found" | "too large";

/**
 * `ended`: the run has ended and cannot be canceled. `gone`: its workflow is deregistered. `forgotten`: its event is in
 * Postgres only, and cannot be made again.
 */
export type RunChange =
  | { /** The run as JSON text. */ readonly done: string }
  | { readonly failed: "not found" | "ended" | "gone" | "forgotten" };

export type WorkflowChange = "pause" | "resume" | "deregister";
/** `connected`: a workflow cannot be deregistered while hosts serve it. */
export type WorkflowChanged = "done" | "not found" | "connected";

export interface EnvironmentRpc extends EnvironmentControl, EnvironmentCalls {}

/** The path at which the console hands on the WebSocket upgrade of a page, whose right to watch it has checked. */
export const WATCH_PATH = "/watch";

/** Headers with which the ingress hands an authenticated WebSocket upgrade to the object. Never taken from outside. */
export const CONNECT_KEY_HEADER = "x-switchyard-key-id";
export const CONNECT_VERSION_HEADER = "x-switchyard-secret-version";
