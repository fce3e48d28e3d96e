// Events as the API shows them: one with what it says and what came of it, or a page, newest first.

import { type EventSummary, type EventsQuery, RUNS_SHOWN } from "../../../shared/api/events.ts";
import type { Found, Slice } from "../../../shared/contracts/environment.ts";
import { eventId, parseEventId, runId, sequenceTime } from "../../../shared/ids/ids.ts";
import { members, object } from "../../../shared/kernel/json-text.ts";
import type { TriggerKind } from "../../../shared/wire/reference/triggers.ts";
import { explainEvent, keptUntil, type RunsOfEvent } from "../events/accept-event.ts";
import type { EnvironmentContext } from "../state/context.ts";
import { readHistory } from "../storage/history-cursor.ts";
import { SCAN_MAX, summarizeRun } from "./runs.ts";

export interface EventRow extends Record<string, SqlStorageValue> {
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

export const EVENT_COLUMNS = "id, sender_id, name, kind, service, is_test, timestamp, deliver_at, runs";

const iso = (time: number): string => new Date(time).toISOString();

/** A page of the environment's events; newest first, by keyset. Null for a cursor that is none here. */
export function listEvents(
  context: EnvironmentContext,
  { cursor, limit, name, kind }: EventsQuery,
  now: number,
): Slice<EventSummary> | null {
  const { environmentId } = context.identity;
  const before = cursor === null ? Number.MAX_SAFE_INTEGER : parseEventId(environmentId, cursor);
  if (before === null) return null;
  const forgottenBelow = readHistory(context.sql).events_forgotten_below;
  const data: EventSummary[] = [];
  const numbers: number[] = [];
  let looked = 0;
  let last: number | null = null;
  for (const row of context.sql.exec<EventRow>(
    `SELECT ${EVENT_COLUMNS} FROM events WHERE id < ? ORDER BY id DESC`,
    before,
  )) {
    if (data.length === limit || looked === SCAN_MAX) {
      return { data, numbers, next: eventId(environmentId, last ?? row.id), forgottenBelow };
    }
    looked++;
    last = row.id;
    if (name !== null && row.name !== name) continue;
    if (kind !== null && row.kind !== kind) continue;
    data.push(summarize(context, row, now));
    numbers.push(row.id);
  }
  return { data, numbers, next: null, forgottenBelow };
}

/** The event of this id, the sender's or the router's (`EventDetails` in shared/api/events.ts); null when there is none here. */
export function readEventJson(context: EnvironmentContext, id: string, now: number): Found {
  const [row] = context.sql
    .exec<EventRow & { payload: string; context: string | null }>(
      `SELECT ${EVENT_COLUMNS}, payload, context FROM events WHERE sender_id = ? OR id = ? ORDER BY sender_id IS NULL LIMIT 1`,
      id,
      parseEventId(context.identity.environmentId, id),
    )
    .toArray();
  if (row === undefined) {
    const below = readHistory(context.sql).events_forgotten_below;
    const number = parseEventId(context.identity.environmentId, id);
    // A sender's id says nothing of its time.
    return (number ?? 0) < below ? "forgotten" : null;
  }
  const { kind, service, payload } = row;
  // A delivery that came without a name bears its service's, see receive-delivery.ts.
  const origin = { kind, service, unnamed: kind === "WEBHOOK" && row.name === service };
  const json = object([
    ...members(summarize(context, row, now)),
    ["keptUntil", JSON.stringify(keptUntil(context.identity, row))],
    ["workflows", JSON.stringify(explainEvent(context, row, origin))],
    ["payload", payload],
    ["context", row.context],
  ]);
  return { json };
}

function summarize(context: EnvironmentContext, row: EventRow, now: number): EventSummary {
  const { environmentId } = context.identity;
  const runs = JSON.parse(row.runs) as RunsOfEvent;
  const shown = runs.slice(0, RUNS_SHOWN).flatMap(([run]) => {
    const found = summarizeRun(context, run, now);
    return found ? { id: runId(environmentId, run), workflow: found.workflow.slug, status: found.status } : [];
  });
  return { ...summarizeAlone(context, row), runs: shown, runCount: runs.length };
}

/** The summary as it goes to the archive, where the ends of the runs are: here they may not have ended. */
export function summarizeUnended(context: EnvironmentContext, row: EventRow): string {
  const { identity, workflows } = context;
  const runs = JSON.parse(row.runs) as RunsOfEvent;
  const named = runs.slice(0, RUNS_SHOWN).map(([run, workflow]) => ({
    id: runId(identity.environmentId, run),
    workflow: workflows.byNumber(workflow)?.slug ?? "",
  }));
  const kept = { keptUntil: keptUntil(identity, row) };
  return JSON.stringify({ ...summarizeAlone(context, row), runs: named, runCount: runs.length, ...kept });
}

function summarizeAlone(context: EnvironmentContext, row: EventRow): Omit<EventSummary, "runs" | "runCount"> {
  const { environmentId } = context.identity;
  return {
    id: row.sender_id ?? eventId(environmentId, row.id),
    name: row.name,
    kind: row.kind,
    service: row.service,
    isTest: row.is_test === 1,
    timestamp: iso(row.timestamp),
    createdAt: iso(sequenceTime(row.id)),
    ...(row.deliver_at !== null && { deliverAt: iso(row.deliver_at) }),
  };
}
