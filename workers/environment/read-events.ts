// Events as the API shows them: one with what it says and what came of it, or a page, newest first.
import { type EventSummary, type EventsPage, type EventsQuery, RUNS_SHOWN } from "../../shared/events.ts";
import { eventId, parseEventId, runId, sequenceTime } from "../../shared/ids.ts";
import type { TriggerKind } from "../../shared/wire/triggers.ts";
import type { EnvironmentContext } from "./context.ts";
import { explainEvent, keptUntil, type RunsOfEvent } from "./events.ts";
import { members, object } from "./json-text.ts";
import { SCAN_MAX, summarizeRun } from "./read-runs.ts";

interface EventRow extends Record<string, SqlStorageValue> {
  id: number;
  sender_id: string | null;
  name: string;
  kind: TriggerKind;
  service: string;
  is_test: number;
  timestamp: number;
  deliver_at: number | null;
  runs: string;
}

const COLUMNS = "id, sender_id, name, kind, service, is_test, timestamp, deliver_at, runs";

const iso = (time: number): string => new Date(time).toISOString();

/** A page of the environment's events; newest first, by keyset. Null for a cursor that is none here. */
export function listEvents(
  context: EnvironmentContext,
  { cursor, limit, name, kind }: EventsQuery,
  now: number,
): EventsPage | null {
  const { environmentId } = context.identity;
  const before = cursor === null ? Number.MAX_SAFE_INTEGER : parseEventId(environmentId, cursor);
  if (before === null) return null;
  const data: EventSummary[] = [];
  let looked = 0;
  let last: number | null = null;
  for (const row of context.sql.exec<EventRow>(`SELECT ${COLUMNS} FROM events WHERE id < ? ORDER BY id DESC`, before)) {
    if (data.length === limit || looked === SCAN_MAX) return { data, next: eventId(environmentId, last ?? row.id) };
    looked++;
    last = row.id;
    if (name !== null && row.name !== name) continue;
    if (kind !== null && row.kind !== kind) continue;
    data.push(summarize(context, row, now));
  }
  return { data, next: null };
}

/** The event of this id, the sender's or the router's (`EventDetails` in shared/events.ts); null when there is none here. */
export function readEventJson(context: EnvironmentContext, id: string, now: number): string | null {
  const [row] = context.sql
    .exec<EventRow & { payload: string; context: string | null }>(
      `SELECT ${COLUMNS}, payload, context FROM events WHERE sender_id = ? OR id = ? ORDER BY sender_id IS NULL LIMIT 1`,
      id,
      parseEventId(context.identity.environmentId, id),
    )
    .toArray();
  if (row === undefined) return null;
  const { kind, service, payload } = row;
  // A delivery that came without a name bears its service's, see receive-delivery.ts.
  const origin = { kind, service, unnamed: kind === "WEBHOOK" && row.name === service };
  return object([
    ...members(summarize(context, row, now)),
    ["keptUntil", JSON.stringify(keptUntil(row))],
    ["workflows", JSON.stringify(explainEvent(context, row, origin))],
    ["payload", payload],
    ["context", row.context],
  ]);
}

function summarize(context: EnvironmentContext, row: EventRow, now: number): EventSummary {
  const { environmentId } = context.identity;
  const runs = JSON.parse(row.runs) as RunsOfEvent;
  return {
    id: row.sender_id ?? eventId(environmentId, row.id),
    name: row.name,
    kind: row.kind,
    service: row.service,
    isTest: row.is_test === 1,
    timestamp: iso(row.timestamp),
    createdAt: iso(sequenceTime(row.id)),
    ...(row.deliver_at !== null && { deliverAt: iso(row.deliver_at) }),
    runs: runs.slice(0, RUNS_SHOWN).flatMap(([run]) => {
      const found = summarizeRun(context, run, now);
      return found ? { id: runId(environmentId, run), workflow: found.workflow.slug, status: found.status } : [];
    }),
    runCount: runs.length,
  };
}
