// Runs and events of an environment wherever they are: in its object or in Postgres. What both the ingress and the console
// answer with.

import type { EventSummary, EventsQuery } from "../../shared/api/events.ts";
import type { RunSummary, RunsQuery } from "../../shared/api/runs.ts";
import type { ExportQuery, Found, Slice } from "../../shared/contracts/environment.ts";
import { eventId, firstSequenceAt, parseEventId, parseRunId, runId } from "../../shared/ids/ids.ts";
import { readHistory } from "./archive-binding.ts";
import { type Page, throughHistory } from "./through-history.ts";

const numbersOfRuns = (environmentId: string) => ({
  numberOf: (cursor: string) => parseRunId(environmentId, cursor),
  cursorOf: (number: number) => runId(environmentId, number),
});

/** `workflow` is a slug; null for all. Rejects with HistoryAway when Postgres is needed and cannot be read. */
export function runsThroughHistory(
  environmentId: string,
  slice: Slice<RunSummary>,
  { limit, cursor, status, from, until, isTest, text }: RunsQuery,
  workflow: string | null,
): Promise<Page<RunSummary>> {
  const named = text === undefined ? null : parseRunId(environmentId, text);
  const least = Math.max(from === undefined ? 0 : firstSequenceAt(from), named ?? 0);
  // The object has everything from there on.
  if (least > 0 && least >= slice.forgottenBelow) return Promise.resolve({ data: slice.data, next: slice.next });
  const most = Math.min(
    until === undefined ? Number.MAX_SAFE_INTEGER : firstSequenceAt(until),
    named === null ? Number.MAX_SAFE_INTEGER : named + 1,
  );
  return throughHistory({
    slice,
    limit,
    cursor,
    ...numbersOfRuns(environmentId),
    parse: (json) => JSON.parse(json) as RunSummary,
    history: (before, limit) =>
      readHistory((archive) =>
        archive.listRuns(environmentId, {
          before: Math.min(before, most),
          limit,
          status,
          workflow,
          isTest: isTest ?? null,
          from: least,
          text: named === null ? (text ?? null) : null,
        }),
      ),
  });
}

/** Each run in full, as JSON text. */
export function exportThroughHistory(
  environmentId: string,
  slice: Slice<string>,
  { limit, cursor }: ExportQuery,
): Promise<Page<string>> {
  return throughHistory({
    slice,
    limit,
    cursor,
    ...numbersOfRuns(environmentId),
    parse: (json) => json,
    history: (before, most) => readHistory((archive) => archive.exportRuns(environmentId, { before, limit: most })),
  });
}

export function eventsThroughHistory(
  environmentId: string,
  slice: Slice<EventSummary>,
  { limit, cursor, name, kind }: EventsQuery,
): Promise<Page<EventSummary>> {
  return throughHistory({
    slice,
    limit,
    cursor,
    numberOf: (text) => parseEventId(environmentId, text),
    cursorOf: (number) => eventId(environmentId, number),
    parse: (json) => JSON.parse(json) as EventSummary,
    history: (before, most) =>
      readHistory((archive) => archive.listEvents(environmentId, { before, limit: most, name, kind })),
  });
}

/** A run as JSON text; null when there is none. */
export async function runThroughHistory(environmentId: string, id: string, found: Found): Promise<string | null> {
  if (found !== "forgotten") return found?.json ?? null;
  const number = parseRunId(environmentId, id);
  return number === null ? null : readHistory((archive) => archive.getRun(environmentId, number));
}

/** An event as JSON text, by the sender's id or the router's; null when there is none. */
export async function eventThroughHistory(environmentId: string, id: string, found: Found): Promise<string | null> {
  if (found !== "forgotten") return found?.json ?? null;
  return readHistory((archive) => archive.getEvent(environmentId, parseEventId(environmentId, id), id));
}
