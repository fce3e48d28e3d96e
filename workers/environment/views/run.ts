// One run in full, as JSON text.
import type { ExportQuery, Slice } from "../../../shared/contracts/environment.ts";
import { parseRunId, runId } from "../../../shared/ids/ids.ts";
import { members, object } from "../../../shared/kernel/json-text.ts";
import type { FetchDetail } from "../runs/fetches.ts";
import type { EnvironmentContext } from "../state/context.ts";
import { readHistory } from "../storage/history-cursor.ts";
import type { StepRow } from "../storage/rows.ts";
import { summarizeRun } from "./runs.ts";

/** Characters of steps in one answer, which may have 32 MiB between Worker and object. The rest is counted. */
const STEPS_MAX_CHARS = 8 * 1024 * 1024;

/** The run with this id (`Run` in shared/api/runs.ts), or null: also for an id of another environment. */
export function readRunJson(context: EnvironmentContext, id: string, now: number): string | null {
  const number = parseRunId(context.identity.environmentId, id);
  const summary = number === null ? null : summarizeRun(context, number, now);
  if (number === null || summary === null) return null;
  const [content] = context.sql.exec<{ payload: string; context: string | null; output: string | null }>(
    "SELECT e.payload, e.context, r.output FROM runs r JOIN events e ON e.id = r.event WHERE r.id = ?",
    number,
  );
  const { event, ...rest } = summary;
  const { tasks, omitted } = readTasks(context.sql, number);
  return object([
    ...members(rest),
    ["event", object([...members(event), ["payload", content?.payload ?? "null"], ["context", content?.context]])],
    ["output", content?.output],
    ["tasks", `[${tasks.join(",")}]`],
    ["tasksOmitted", omitted > 0 ? String(omitted) : null],
  ]);
}

function readTasks(sql: SqlStorage, run: number): { tasks: string[]; omitted: number } {
  const tasks: string[] = [];
  let chars = 0;
  let omitted = 0;
  for (const row of sql.exec<StepRow>("SELECT * FROM steps WHERE run = ? ORDER BY created_at, key", run)) {
    const text = chars < STEPS_MAX_CHARS ? task(row) : "";
    chars += text.length;
    if (text === "" || chars > STEPS_MAX_CHARS) omitted++;
    else tasks.push(text);
  }
  return { tasks, omitted };
}

/** A step as the API shows it. */
export function task(row: StepRow): string {
  const status = row.finished_at === null ? "PENDING" : row.failed ? "ERROR" : "SUCCESS";
  const { key, kind: type, attempt } = row;
  const times = {
    createdAt: new Date(row.created_at).toISOString(),
    ...(row.finished_at !== null && { finishedAt: new Date(row.finished_at).toISOString() }),
    ...(row.tries > 0 && { tries: row.tries }),
  };
  const own = object([
    ...members({ key, type, status, attempt, ...times }),
    [row.failed ? "error" : "output", row.result],
  ]);
  const detail = type === "FETCH_REQUEST" ? fetchDetail(row.detail) : row.detail;
  return detail === "{}" ? own : `${own.slice(0, -1)},${detail.slice(1)}`;
}

function fetchDetail(text: string): string {
  const { body, ...rest } = JSON.parse(text) as FetchDetail;
  return object([...members(rest), ["body", body]]);
}

/** Characters of runs in full in one answer. */
const EXPORTED_MAX_CHARS = 8 * 1024 * 1024;

/** A page of runs in full, the newest first. Null for a cursor that is none here. */
export function exportRuns(
  context: EnvironmentContext,
  { cursor, limit }: ExportQuery,
  now: number,
): Slice<string> | null {
  const { environmentId } = context.identity;
  const before = cursor === null ? Number.MAX_SAFE_INTEGER : parseRunId(environmentId, cursor);
  if (before === null) return null;
  const forgottenBelow = readHistory(context.sql).runs_forgotten_below;
  const found = context.sql
    .exec<{ id: number }>("SELECT id FROM runs WHERE id < ? ORDER BY id DESC LIMIT ?", before, limit)
    .toArray();
  const data: string[] = [];
  const numbers: number[] = [];
  let chars = 0;
  for (const { id } of found) {
    if (chars > EXPORTED_MAX_CHARS) break;
    const json = readRunJson(context, runId(environmentId, id), now) ?? "{}";
    chars += json.length;
    data.push(json);
    numbers.push(id);
  }
  const last = numbers.at(-1);
  const ended = numbers.length < limit && numbers.length === found.length;
  return { data, numbers, next: last === undefined || ended ? null : runId(environmentId, last), forgottenBelow };
}
