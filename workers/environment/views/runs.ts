// Summaries of runs as the API shows them: one, or a page, newest first.

import type { RunError, RunStatus, RunSummary, RunsPageQuery, RunsQuery } from "../../../shared/api/runs.ts";
import type { Slice } from "../../../shared/contracts/environment.ts";
import { eventId, firstSequenceAt, parseEventId, parseRunId, runId, sequenceTime } from "../../../shared/ids/ids.ts";
import { runStatus } from "../runs/run-status.ts";
import type { EnvironmentContext } from "../state/context.ts";
import { readHistory } from "../storage/history-cursor.ts";
import type { RunRow } from "../storage/rows.ts";

export interface RunWithEvent extends RunRow {
  event_name: string;
  event_sender_id: string | null;
  event_timestamp: number;
}

/** Runs with what a summary says of their event. The output is read only where it is wanted. */
export const runsWithEvent = (output: "r.output" | "NULL") => `
  SELECT r.id, r.workflow, r.event, r.attempts, r.lost_in_a_row, r.resume_at, r.expires_at, r.is_test, r.rerun_of, r.started_at, r.finished_at, r.status, r.error,
    ${output} AS output, e.name AS event_name, e.sender_id AS event_sender_id, e.timestamp AS event_timestamp
  FROM runs r JOIN events e ON e.id = r.event`;
const WITH_EVENT = runsWithEvent("NULL");

/** Rows one page may look at when it filters; past that it answers what it has and a cursor to go on from. */
export const SCAN_MAX = 20_000;

const iso = (time: number): string => new Date(time).toISOString();

/** What is known of a run besides its payload, output and steps; null when there is none of this number. */
export function summarizeRun(context: EnvironmentContext, number: number, now: number): RunSummary | null {
  const [row] = context.sql.exec<RunWithEvent>(`${WITH_EVENT} WHERE r.id = ?`, number);
  return row ? summarizeRow(context, row, now) : null;
}

/** A page of the environment's runs, or of one workflow's; newest first, by keyset. Null for a cursor that is none here. */
export function listRuns(
  context: EnvironmentContext,
  query: RunsQuery,
  workflow: number | null,
  now: number,
): Slice<RunSummary> | null {
  const { environmentId } = context.identity;
  const forgottenBelow = readHistory(context.sql).runs_forgotten_below;
  const before = query.cursor === null ? Number.MAX_SAFE_INTEGER : parseRunId(environmentId, query.cursor);
  if (before === null) return null;
  const named = query.text === undefined ? null : parseRunId(environmentId, query.text);
  // What ids tell, time included, is looked up: only the rest is looked through.
  const below = Math.min(
    before,
    query.until === undefined ? before : firstSequenceAt(query.until),
    (named ?? before) + 1,
  );
  const least = Math.max(query.from === undefined ? 0 : firstSequenceAt(query.from), named ?? 0);
  const contains = query.text === undefined || named !== null ? null : containing(environmentId, query.text);
  const data: RunSummary[] = [];
  const numbers: number[] = [];
  let looked = 0;
  let last: number | null = null;
  const rows = context.sql.exec<RunWithEvent>(
    `${WITH_EVENT} WHERE r.id < ? AND r.id >= ? ORDER BY r.id DESC`,
    below,
    least,
  );
  for (const row of rows) {
    if (data.length === query.limit || looked === SCAN_MAX) {
      return { data, numbers, next: runId(environmentId, last ?? row.id), forgottenBelow };
    }
    looked++;
    last = row.id;
    if (workflow !== null && row.workflow !== workflow) continue;
    if (query.isTest !== undefined && (row.is_test === 1) !== query.isTest) continue;
    if (contains !== null && !contains(row)) continue;
    const summary = summarizeRow(context, row, now);
    if (query.status !== null && summary.status !== query.status) continue;
    data.push(summary);
    numbers.push(row.id);
  }
  return { data, numbers, next: null, forgottenBelow };
}

/** Whether a run is one of this event, or its event or error has this text in it. Payloads are not looked through. */
function containing(environmentId: string, text: string): (row: RunWithEvent) => boolean {
  const event = parseEventId(environmentId, text);
  const wanted = text.toLowerCase();
  const has = (part: string | null) => part?.toLowerCase().includes(wanted) ?? false;
  return (row) => row.event === event || has(row.event_name) || has(row.event_sender_id) || has(row.error);
}

/**
 * A numbered page of a workflow's runs, as the reference API has it. It counts, so a keyset page is cheaper; with a
 * status it looks at every run, since only ends are stored.
 */
export function listRunsByPage(
  context: EnvironmentContext,
  workflow: number,
  { page, limit, status }: RunsPageQuery,
  now: number,
): { data: RunSummary[]; totalCount: number } {
  const first = (page - 1) * limit;
  if (status !== null) {
    const found: RunSummary[] = [];
    let totalCount = 0;
    for (const row of context.sql.exec<RunWithEvent>(
      `${WITH_EVENT} WHERE r.workflow = ? ORDER BY r.id DESC`,
      workflow,
    )) {
      const summary = summarizeRow(context, row, now);
      if (summary.status !== status) continue;
      if (totalCount >= first && found.length < limit) found.push(summary);
      totalCount++;
    }
    return { data: found, totalCount };
  }
  const { total } = context.sql
    .exec<{ total: number }>("SELECT count(*) AS total FROM runs WHERE workflow = ?", workflow)
    .one();
  const data = context.sql
    .exec<RunWithEvent>(
      `${WITH_EVENT} WHERE r.workflow = ? ORDER BY r.id DESC LIMIT ? OFFSET ?`,
      workflow,
      limit,
      first,
    )
    .toArray()
    .map((row) => summarizeRow(context, row, now));
  return { data, totalCount: total };
}

export function summarizeRow(context: EnvironmentContext, row: RunWithEvent, now: number): RunSummary {
  const { identity, hosts, workflows } = context;
  const held = hosts.held.find(row.id);
  const workflow = workflows.byNumber(row.workflow);
  const started = row.finished_at === null && held?.startedAt != null;
  const running = started || (row.finished_at === null && row.attempts > 0 && !held && sleepsOnHost(context, row.id));
  const status = runStatus(
    {
      ended: row.status as RunStatus | null,
      attempts: row.attempts + row.lost_in_a_row,
      running,
      hostConnected: hosts.serves(row.workflow),
      expiresAt: row.expires_at,
    },
    now,
  );
  const startedAt = row.started_at ?? held?.startedAt ?? null;
  const timedOut = status === "TIMED_OUT";
  const finishedAt = row.finished_at ?? (timedOut ? row.expires_at : null);
  return {
    id: runId(identity.environmentId, row.id),
    environmentId: identity.environmentId,
    workflow: { slug: workflow?.slug ?? "", name: workflow?.definition.name ?? "" },
    status,
    isTest: row.is_test === 1,
    ...(row.rerun_of !== null && { rerunOf: runId(identity.environmentId, row.rerun_of) }),
    attempts: Math.max(row.attempts, started && held ? held.attempt + 1 : 0),
    createdAt: iso(sequenceTime(row.id)),
    ...(startedAt !== null && { startedAt: iso(startedAt) }),
    ...(finishedAt !== null && { finishedAt: iso(finishedAt) }),
    ...(timedOut && {
      timedOutAt: iso(row.expires_at),
      timedOutReason: "no host could take the run within its time to live",
    }),
    ...(row.error !== null && { error: JSON.parse(row.error) as RunError }),
    event: {
      id: row.event_sender_id ?? eventId(identity.environmentId, row.event),
      name: row.event_name,
      timestamp: iso(row.event_timestamp),
    },
  };
}

/** Whether the run waits for an answer on a host that is connected. */
function sleepsOnHost({ sql, hosts }: EnvironmentContext, run: number): boolean {
  return sql
    .exec<{ host: number | null }>("SELECT host FROM steps WHERE run = ? AND due_at IS NOT NULL", run)
    .toArray()
    .some(({ host }) => hosts.byId(host) !== undefined);
}
