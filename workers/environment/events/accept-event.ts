// Accepting an event: one transaction stores it, finds its workflows and makes their runs.
//
// Promise 1 is kept here: an event is routed once per environment and id, for as long as its row is kept. A repeated id
// with the same content is answered from the row and makes no run. A repeated id with other content is a conflict.
// Tests: tests/workerd/events.test.ts.
import {
  type AcceptedEvent,
  dueAt,
  type EventOutcome,
  type Explanation,
  type NewEvent,
} from "../../../shared/api/events.ts";
import { eventId, runId, sequenceTime } from "../../../shared/ids/ids.ts";
import { utf8Length } from "../../../shared/kernel/canonical-json.ts";
import { ROW_MAX_BYTES } from "../../../shared/kernel/limits.ts";
import type { TriggerKind } from "../../../shared/wire/reference/triggers.ts";
import { insertRun } from "../runs/run-rows.ts";
import type { Turn } from "../state/commits.ts";
import type { EnvironmentContext, Identity } from "../state/context.ts";
import type { Workflow } from "../state/workflows.ts";
import { explainMismatch, type FilterSubject, matchFilter } from "../storage/filter.ts";
import { eventKeptUntil } from "../storage/history-cursor.ts";

/** Bytes that a row may take besides payload and context. */
const ROW_OVERHEAD_BYTES = 8_192;

/** The rules by which an event finds its workflows. */
export interface Routing {
  /** Only workflows that listen for this kind can start. */
  readonly kind: TriggerKind;
  /** The event's service, as filters see it. */
  readonly service: string;
  /** The event's runs are test runs. */
  readonly isTest?: boolean;
  /** The event has no name of its own: each workflow of the service sees it under the name that it listens for. */
  readonly unnamed?: boolean;
  /** Numbers of the only workflows to start, whatever their filters say: for a schedule's event and a test of a workflow. */
  readonly only?: readonly number[];
}

/** An event that was posted, or sent by a run. */
export const CUSTOM: Routing = { kind: "CUSTOM_EVENT", service: "trigger" };

type Content = Pick<NewEvent, "name" | "payload" | "context">;

interface EventRow extends Record<string, SqlStorageValue> {
  id: number;
  sender_id: string | null;
  digest: ArrayBuffer;
  name: string;
  timestamp: number;
  deliver_at: number | null;
  runs: string;
}

/** The outcomes of an event that the object has room for. */
export type Acceptance = Exclude<EventOutcome, { readonly outcome: "full" }>;

export type RunsOfEvent = readonly (readonly [run: number, workflow: number])[];

/** Stores and routes one event, as part of the turn's transaction. */
export function acceptEvent(
  context: EnvironmentContext,
  turn: Turn,
  event: NewEvent,
  routing: Routing,
  now: number,
): Acceptance {
  const { sql } = context;
  if (event.id !== null) {
    const [earlier] = sql.exec<EventRow>(
      "SELECT id, sender_id, digest, name, timestamp, deliver_at, runs FROM events WHERE sender_id = ?",
      event.id,
    );
    if (earlier) {
      if (!sameBytes(new Uint8Array(earlier.digest), event.digest)) return { outcome: "conflict" };
      return { outcome: "accepted", event: describe(context, earlier), repeated: true };
    }
  }
  if (utf8Length(event.payload) + utf8Length(event.context ?? "") > ROW_MAX_BYTES - ROW_OVERHEAD_BYTES) {
    return { outcome: "too large" };
  }
  const id = context.nextNumber();
  const deliverAt = event.delay ? dueAt(event.delay, now) : now;
  const delayed = deliverAt > now;
  const runs = delayed ? [] : makeRuns(context, turn, id, event, routing, now);
  const row = sql
    .exec<EventRow>(
      `INSERT INTO events (id, sender_id, digest, name, payload, context, timestamp, deliver_at, waits_until, runs,
         kind, service, is_test)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       RETURNING id, sender_id, digest, name, timestamp, deliver_at, runs`,
      id,
      event.id,
      event.digest,
      event.name,
      event.payload,
      event.context,
      event.timestamp ?? now,
      delayed ? deliverAt : null,
      delayed ? deliverAt : null,
      JSON.stringify(runs),
      routing.kind,
      routing.service,
      routing.isTest ? 1 : 0,
    )
    .one();
  return { outcome: "accepted", event: describe(context, row), repeated: false };
}

/** The event as a filter is matched against it. */
function subjectOf(event: Content, service: string): FilterSubject {
  return {
    event: event.name,
    service,
    payload: JSON.parse(event.payload) as unknown,
    context: event.context === null ? undefined : (JSON.parse(event.context) as unknown),
  };
}

function matchingWorkflows(context: EnvironmentContext, event: Content, routing: Routing): Workflow[] {
  const { kind, service, only, unnamed } = routing;
  const { workflows } = context;
  if (only) return only.flatMap((number) => workflows.byNumber(number) ?? []).filter((each) => !each.deregistered);
  const listening = unnamed ? workflows.listeningToService(kind, service) : workflows.listeningFor(kind, event.name);
  if (listening.length === 0) return [];
  const subject = subjectOf(event, service);
  return listening.filter(({ filter, definition }) =>
    matchFilter(filter, unnamed ? { ...subject, event: definition.trigger.name } : subject),
  );
}

/**
 * Explains, for each workflow of the event's name or of a delivery's service, whether it would start, and if not, its first
 * mismatch. Stores nothing. A schedule's event belongs to the workflow that registered it, so there is nothing to explain.
 */
export function explainEvent(context: EnvironmentContext, event: Content, routing: Routing): Explanation[] {
  const { kind, service, unnamed } = routing;
  if (kind === "SCHEDULE") return [];
  const { workflows } = context;
  const subject = subjectOf(event, service);
  const listening =
    kind === "WEBHOOK" ? workflows.listeningToService(kind, service) : workflows.listeningFor(kind, event.name);
  return listening.map(({ slug, filter, paused, definition }) => {
    const mismatch = explainMismatch(filter, unnamed ? { ...subject, event: definition.trigger.name } : subject);
    return {
      workflow: slug,
      matches: mismatch === null,
      paused,
      ...(mismatch && { mismatch: { ...mismatch, expected: JSON.stringify(mismatch.expected) } }),
    };
  });
}

/** Makes the runs of an event whose delay has ended. Their time to live starts now. */
export function routeDelayedEvent(context: EnvironmentContext, turn: Turn, id: number, now: number): void {
  const event = context.sql
    .exec<{
      name: string;
      payload: string;
      context: string | null;
      kind: TriggerKind;
      service: string;
      is_test: number;
    }>("SELECT name, payload, context, kind, service, is_test FROM events WHERE id = ? AND waits_until IS NOT NULL", id)
    .one();
  const routing = { kind: event.kind, service: event.service, isTest: event.is_test === 1 };
  const runs = makeRuns(context, turn, id, event, routing, now);
  context.sql.exec("UPDATE events SET waits_until = NULL, runs = ? WHERE id = ?", JSON.stringify(runs), id);
}

function makeRuns(
  context: EnvironmentContext,
  turn: Turn,
  event: number,
  content: Content,
  routing: Routing,
  now: number,
): RunsOfEvent {
  return matchingWorkflows(context, content, routing).map((workflow) => {
    const run = context.nextNumber();
    insertRun(context, turn, { run, workflow, event, now, isTest: routing.isTest === true });
    return [run, workflow.number] as const;
  });
}

function describe({ identity, workflows }: EnvironmentContext, row: EventRow): AcceptedEvent {
  const runs = JSON.parse(row.runs) as RunsOfEvent;
  return {
    id: row.sender_id ?? eventId(identity.environmentId, row.id),
    name: row.name,
    ...(row.deliver_at !== null && { deliverAt: new Date(row.deliver_at).toISOString() }),
    runs: runs.map(([run, workflow]) => ({
      id: runId(identity.environmentId, run),
      workflow: workflows.byNumber(workflow)?.slug ?? "",
    })),
    keptUntil: keptUntil(identity, row),
  };
}

/** ISO date until which the event's id is recognized. */
export function keptUntil({ retention }: Identity, { id, deliver_at }: Pick<EventRow, "id" | "deliver_at">): string {
  return new Date(eventKeptUntil(retention, Math.max(sequenceTime(id), deliver_at ?? 0))).toISOString();
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
