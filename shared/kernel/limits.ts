// Every limit and timing of the router, with its unit, its reason and who enforces it.

const KIB = 1024;
const MIB = 1024 * KIB;

/** One event, payload and context together, as UTF-8 JSON. Enforced by the ingress, before the object is called. */
export const EVENT_MAX_BYTES = MIB;
/** Events in one `POST /api/v1/events`. Enforced by the ingress. */
export const BATCH_MAX_EVENTS = 500;
/** Body of an array of events. Enforced by the ingress while it reads, so a larger one is never read whole. */
export const BATCH_MAX_BYTES = 8 * MIB;
/**
 * Body of a single event: escapes and the envelope may make it larger than the event itself.
 * `"` and `\` double, a control character takes six bytes.
 */
export const EVENT_BODY_MAX_BYTES = 8 * MIB;
/** A frame received from a host. The platform closes the socket at 32 MiB; we refuse at 8. Enforced by the object. */
export const FRAME_MAX_BYTES = 8 * MIB;
/** A run's output, a step's result and a log, after parsing. Beyond it the run ends with an error that says so. */
export const VALUE_MAX_BYTES = MIB;
/** Names and ids that others choose: event name, event id, workflow slug, step key. Enforced by the schemas. */
export const NAME_MAX_CHARS = 256;
/**
 * A workflow's registration: filter, schema and metadata together, so that a page of 100 workflows fits into one call
 * between Worker and object (32 MiB). Enforced by the object.
 */
export const REGISTRATION_MAX_BYTES = 256 * KIB;
/** Runs made last that are looked through when one that has not ended is sought; older ones stand in an index. */
export const RECENT_RUNS = 500;
/** Runs that execute user code on one host at a time. Enforced by the dispatcher. */
export const HOST_MAX_RUNNING = 100;
/** A row of SQLite-backed storage on the platform; local workerd allows more, so the object enforces it itself. */
export const ROW_MAX_BYTES = 2_000_000;
/** A socket's attachment, as the platform limits it. The dispatcher stays below by counting runs. */
export const ATTACHMENT_MAX_BYTES = 16 * KIB;
/** Sockets one Durable Object can hold, as the platform limits it. */
export const SOCKETS_MAX = 32_768;

/** How long operations are gathered into one commit while there are many. One commit is one write to disk. */
export const COMMIT_WINDOW_MS = 1;
/** An operation this soon after a commit is one of many. Any other is committed at once. */
export const COMMIT_BUSY_MS = 3;
/** How long a run waits for its first host when its workflow says nothing (the reference client's `triggerTTL`). */
export const DEFAULT_TIME_TO_LIVE_MS = 3_600_000;
/**
 * Days that an environment's object keeps what has ended, and with an event its idempotency, unless its environment says
 * otherwise; and the most that it may say: an object has 10 GB.
 */
export const RETENTION_DAYS = 7;
export const RETENTION_MAX_DAYS = 30;
/** Days that Postgres keeps it, and the most: it is kept by months, and each is a table. */
export const HISTORY_DAYS = 90;
export const HISTORY_MAX_DAYS = 3_650;
/** Storage of one Durable Object, as the platform limits it. */
export const STORAGE_MAX_BYTES = 10 * 1024 * MIB;
/** From this part of it on, what is posted is refused, so that what runs can end and what is old can be forgotten. */
export const STORAGE_FULL_PART = 0.9;
/**
 * Rows, and characters, gathered for Postgres in one turn of the object: some milliseconds, in which nothing else is done.
 * A row of its own may be larger, 2 MB at most.
 */
export const ARCHIVED_AT_ONCE_ROWS = 100;
export const ARCHIVED_AT_ONCE_CHARS = 512 * KIB;
/** The archive goes past a run that has not ended, and comes back for it, at this age: most end before, and cost no row. */
export const ARCHIVE_WAITS_FOR_RUN_MS = 600_000;
/** An archive that failed is tried again after this time, then after twice as long, up to the longest. */
export const ARCHIVE_RETRY_FIRST_MS = 60_000;
export const ARCHIVE_RETRY_LONGEST_MS = 3_600_000;
/** Runs, or events, forgotten in one turn of the object, and steps of them. */
export const FORGOTTEN_AT_ONCE = 100;
export const FORGOTTEN_STEPS_AT_ONCE = 2_000;
/** What is longer goes to the bucket, if there is one. */
export const BUCKET_FROM_CHARS = 128 * KIB;
/** How long the ingress remembers that a key was refused. Only refusals are remembered; a revocation is for good. */
export const REFUSAL_REMEMBERED_MS = 60_000;
/** Refusals remembered by one ingress isolate; the oldest is forgotten first. */
export const REFUSALS_REMEMBERED = 10_000;
/** Keys whose tag one ingress isolate has verified and need not verify again; the oldest is forgotten first. */
export const VERIFIED_REMEMBERED = 1_000;
/** A host that was offered a run answers within this time, or the run goes to another. */
export const OFFER_ANSWERED_WITHIN_MS = 10_000;

/** Page sizes of lists. The reference API allows at most 100. */
export const PAGE_DEFAULT = 20;
export const PAGE_MAX = 100;

/** One attempt of a fetch on a user's behalf, with its redirects and the reading of its body. */
export const FETCH_TIMEOUT_MS = 60_000;
/** Redirects followed in one attempt, as browsers do; each target is checked. */
export const FETCH_MAX_REDIRECTS = 20;
/** A wait that a target asks for with Retry-After is followed up to this. */
export const RETRY_AFTER_MAX_MS = 3_600_000;

/** A host with runs in flight that has sent nothing for this long is probed. */
export const HOST_SILENT_MS = 60_000;
/** A probed host that does not acknowledge within this time is lost. */
export const PROBE_ANSWERED_WITHIN_MS = 10_000;
/** A run that has been on a host for this long has its start written down, so that it outlives the object's memory. */
export const START_WRITTEN_AFTER_MS = 5_000;
/** Attempts lost one after the other, without a new result of a step, before a run ends as "host lost". */
export const LOST_ATTEMPTS_MAX = 5;
/**
 * From this many attempts lost in a row a run is a suspect: a host gets one suspect at a time, and when the host is lost
 * with it, only the suspect is blamed. So a run that kills its hosts is found out, and the runs beside it are not.
 */
export const SUSPECT_AFTER_LOST = 2;
/** How long a run waits before it is offered again, by the number of attempts lost in a row. */
export const LOST_ATTEMPT_WAITS_MS: readonly number[] = [0, 1_000, 5_000, 15_000];
/** Runs one host may hold at once, asleep ones not counted: its attachment has 16 KiB, a held run takes about 30 bytes. */
export const HOST_MAX_HELD = 400;
/** The longest delay in a run. */
export const DELAY_MAX_MS = 366 * 24 * 3_600_000;
/** A step's key. Longer ones are a protocol error: the key is part of the step's row, and of its index. */
export const STEP_KEY_MAX_CHARS = 2_048;
/** A call made for a fetch whose answer has not come back by then was cut off, and is made again. */
export const FETCH_CUT_OFF_AFTER_MS = 90_000;
/** Longest wait of `Prefer: wait=N` on an event. */
export const PREFER_WAIT_MAX_S = 30;
/** Due work that failed inside is tried again after this time. */
export const RETRY_FAILED_WORK_MS = 1_000;
/** Offers of one turn together: they stand in the object's memory (128 MB) until they are sent. */
export const OFFERED_PER_TURN_MAX_CHARS = 8 * MIB;

/** Raw body of a webhook delivery: what an event may have, so that every delivery can become one. Enforced while it is read. */
export const WEBHOOK_BODY_MAX_BYTES = MIB;
/** How far a delivery's signed time may lie before or after ours; what Stripe, Slack and Standard Webhooks recommend. */
export const SIGNATURE_TOLERANCE_MS = 300_000;
/** A header that holds signatures. Longer ones are refused unread. */
export const SIGNATURE_HEADER_MAX_CHARS = 4_096;
/** Signatures in one delivery: each is tried with each secret, and one try hashes the whole body. */
export const SIGNATURES_MAX = 8;
/** Secrets of one source. Two are enough to rotate. */
export const SECRETS_MAX = 4;
export const SECRET_MAX_CHARS = 1_024;
export const HEADER_NAME_MAX_CHARS = 128;
/** Places in a body where a source looks for the event's name. */
export const BODY_PATHS_MAX = 4;
/** Objects and lists nested in a delivery's body. Deeper ones are kept as text: what writes JSON recurses. */
export const WEBHOOK_BODY_MAX_DEPTH = 512;

/** Webhook sources of an organization: registrations make them, and no key may make them without end. */
export const SOURCES_MAX = 500;
/** How long a source keeps a delivery with its body, and so for how long it knows its duplicates. */
export const DELIVERY_KEPT_MS = 7 * 24 * 3_600_000;
/** An environment that has not answered a delivery within this time is asked again later. */
export const HAND_OVER_WITHIN_MS = 30_000;
/**
 * Deliveries on their way into one environment at once: a body is in the object's memory (128 MB) several times over, and
 * an environment that hangs holds what it was given until HAND_OVER_WITHIN_MS.
 */
export const LANE_MAX_BYTES = 4 * MIB;
export const LANE_MAX_CALLS = 250;
/** What one environment answered is written down after this time, though another has not answered yet. */
export const OUTCOMES_GATHERED_MS = 1_000;
/** Should a source be lost between storing a delivery and handing it over, it is handed over after this time at most. */
export const HANDED_OVER_AFTER_LOSS_MS = 60_000;
/** Schedules of an organization: each environment is told all of them with every change. */
export const SCHEDULES_MAX = 500;
/** What a schedule's event carries. All schedules of an organization together pass a call to an object (32 MiB). */
export const SCHEDULE_PAYLOAD_MAX_BYTES = 32 * KIB;
/** It is written as JSON among others in every list, by code that takes a stack frame for each level. */
export const SCHEDULE_PAYLOAD_MAX_DEPTH = 512;

/** Times one delivery can be redelivered: each is kept in its row. */
export const REDELIVERIES_MAX = 50;
/** Deliveries redelivered by one call with a filter; the answer says how to go on. */
export const REDELIVERED_AT_ONCE_MAX = 500;
