// The body of `POST /api/v1/events`, and what the Environment object is handed and answers.
import { z } from "zod";
import { utf8Length } from "../kernel/canonical-json.ts";
import { EVENT_MAX_BYTES, NAME_MAX_CHARS } from "../kernel/limits.ts";
import type { TriggerKind } from "../wire/reference/triggers.ts";
import type { RunStatus } from "./runs.ts";

const json = z.unknown().refine((value) => value !== undefined, { error: "is missing" });
const isoDate = z.iso.datetime({ offset: true, error: "must be an ISO 8601 date with a time and a zone" });
const DAY_SECONDS = 86_400;
const YEAR_DAYS = 366;
const count = (most: number) => z.number().int().min(0).max(most);

export const Delay = z.union(
  [
    z.strictObject({ seconds: count(YEAR_DAYS * DAY_SECONDS) }),
    z.strictObject({ minutes: count(YEAR_DAYS * 1440) }),
    z.strictObject({ hours: count(YEAR_DAYS * 24) }),
    z.strictObject({ days: count(YEAR_DAYS) }),
    z.strictObject({ until: isoDate }),
  ],
  {
    error: "must be one of {seconds}, {minutes}, {hours}, {days} (whole numbers, a year at most) or {until: ISO date}",
  },
);
export type Delay = z.infer<typeof Delay>;

/** The event itself, as the reference client posts it and as `ctx.sendEvent` sends it. */
export const Event = z.object({
  name: z.string().min(1).max(NAME_MAX_CHARS),
  payload: json,
  context: z.unknown().optional(),
  timestamp: isoDate.optional(),
  delay: Delay.optional(),
});
export type Event = z.infer<typeof Event>;

/** An idempotency key: printable, so that it can stand in a header and a URL. */
export const EventId = z
  .string()
  .min(1)
  .max(NAME_MAX_CHARS)
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, { error: "must be printable" });

/** What is posted. Without `id` the router gives one, and a second post makes a second event. */
export const PostedEvent = z.object({ id: EventId.optional(), event: Event });
export type PostedEvent = z.infer<typeof PostedEvent>;

/** When an event with this delay is due, in Unix milliseconds. A moment that has passed is now. */
export function dueAt(delay: Delay, now: number): number {
  if ("until" in delay) return Math.max(now, Date.parse(delay.until));
  if ("seconds" in delay) return now + delay.seconds * 1000;
  if ("minutes" in delay) return now + delay.minutes * 60_000;
  if ("hours" in delay) return now + delay.hours * 3_600_000;
  return now + delay.days * DAY_SECONDS * 1000;
}

/** An event on its way into an environment: payload and context as JSON text, so that they are written once. */
export interface NewEvent {
  /** The sender's id, or null. */
  readonly id: string | null;
  readonly name: string;
  readonly payload: string;
  readonly context: string | null;
  /** Unix milliseconds, as the sender says, or null for now. */
  readonly timestamp: number | null;
  readonly delay: Delay | null;
  /** 16 bytes that name the content: two posts of one id with different digests conflict. */
  readonly digest: Uint8Array;
}

/** What an event says, as it is stored; null when payload and context are larger than an event may be. */
export function eventContent(event: Event): Omit<NewEvent, "id" | "digest"> | null {
  const payload = JSON.stringify(event.payload);
  const context = event.context === undefined ? null : JSON.stringify(event.context);
  if (utf8Length(payload) + utf8Length(context ?? "") > EVENT_MAX_BYTES) return null;
  const timestamp = event.timestamp === undefined ? null : Date.parse(event.timestamp);
  return { name: event.name, payload, context, timestamp, delay: event.delay ?? null };
}

/** An accepted event: what the sender is told, the first time and every time after. */
export interface AcceptedEvent {
  /** The sender's id, or the one the router gave. */
  readonly id: string;
  readonly name: string;
  /** ISO date when the event is due; only for a delayed one, whose runs are made then. */
  readonly deliverAt?: string;
  readonly runs: readonly { readonly id: string; readonly workflow: string }[];
  /** ISO date until which the same id is recognized. */
  readonly keptUntil: string;
}

export type EventOutcome =
  | { readonly outcome: "accepted"; readonly event: AcceptedEvent; readonly repeated: boolean }
  | { readonly outcome: "conflict" }
  | { readonly outcome: "too large" }
  /** The object's storage is nearly used up. */
  | { readonly outcome: "full" }
  | { readonly outcome: "failed" };

/** An event in a list. Dates are ISO strings. */
export interface EventSummary {
  /** The sender's id, or the one the router gave. */
  readonly id: string;
  readonly name: string;
  readonly kind: TriggerKind;
  readonly service: string;
  readonly isTest: boolean;
  /** When the event happened, as the sender says. */
  readonly timestamp: string;
  readonly createdAt: string;
  /** Only for a delayed one: when its runs are made, or were. */
  readonly deliverAt?: string;
  /** The first of the runs that it made, `RUNS_SHOWN` at most. Reruns are not among them. */
  readonly runs: readonly EventRun[];
  readonly runCount: number;
}

export interface EventRun {
  readonly id: string;
  readonly workflow: string;
  readonly status: RunStatus;
}

/** Runs shown with an event. The rest is found in the list of runs. */
export const RUNS_SHOWN = 20;

/** An event by itself. The workflows are those that are registered now. */
export interface EventDetails extends EventSummary {
  readonly payload: unknown;
  readonly context?: unknown;
  readonly keptUntil: string;
  readonly workflows: readonly Explanation[];
}

export interface EventsPage {
  readonly data: readonly EventSummary[];
  /** The cursor of the next page, or null at the end. */
  readonly next: string | null;
}

export interface EventsQuery {
  readonly limit: number;
  readonly cursor: string | null;
  readonly name: string | null;
  readonly kind: TriggerKind | null;
}

/** Why a workflow would start for an event, or what stops it. */
export interface Explanation {
  readonly workflow: string;
  readonly matches: boolean;
  readonly paused: boolean;
  /** The first part of its filter that fails: `expected` is the pattern as JSON text; of the event only the type is told. */
  readonly mismatch?: { readonly path: string; readonly expected: string; readonly found: string };
}
