// Forgetting what is archived and old, in slices. Nothing leaves before Postgres has it; a run that waits keeps its event,
// and so does one that a person had made again.
import { firstSequenceAt, runId } from "../../../shared/ids/ids.ts";
import { FORGOTTEN_AT_ONCE, FORGOTTEN_STEPS_AT_ONCE } from "../../../shared/kernel/limits.ts";
import { deleteRun } from "../runs/run-rows.ts";
import { deleteSomeSteps, deleteSteps } from "../runs/step-rows.ts";
import type { EnvironmentContext } from "../state/context.ts";
import { eventsHorizon, runsHorizon } from "../storage/history-cursor.ts";

/** How far a sweep has come: what has to stay is not looked at again by every slice. */
export interface Sweep {
  runsAfter: number;
  eventsAfter: number;
}

/** Forgets a slice: runs first, then what is left of their steps, then events. Answers whether there may be more. */
export function forgetSlice(context: EnvironmentContext, sweep: Sweep, now: number): boolean {
  return forgetRuns(context, sweep, now) || forgetSteps(context) || forgetEvents(context, sweep, now);
}

function forgetRuns({ sql, identity }: EnvironmentContext, sweep: Sweep, now: number): boolean {
  const horizon = runsHorizon(identity.retention, now);
  const runs = sql
    .exec<{ id: number; event: number }>(
      `SELECT id, event FROM runs WHERE id > ? AND id < ? AND id <= (SELECT runs_until FROM history) AND finished_at < ?
       AND id NOT IN (SELECT run FROM passed_runs) ORDER BY id LIMIT ?`,
      sweep.runsAfter,
      firstSequenceAt(horizon),
      horizon,
      FORGOTTEN_AT_ONCE,
    )
    .toArray();
  const last = runs.at(-1);
  if (last === undefined) return false;
  let steps = 0;
  for (const { id, event } of runs) {
    const { count } = sql
      .exec<{ count: number }>(
        "SELECT count(*) AS count FROM (SELECT 1 FROM steps WHERE run = ? LIMIT ?)",
        id,
        FORGOTTEN_STEPS_AT_ONCE,
      )
      .one();
    steps += count;
    if (steps >= FORGOTTEN_STEPS_AT_ONCE) sql.exec("INSERT OR IGNORE INTO forgotten_runs VALUES (?)", id);
    else if (count > 0) deleteSteps({ sql }, id);
    deleteRun({ sql }, id);
    sql.exec("DELETE FROM reruns WHERE event = ? AND run = ?", event, id);
    sql.exec("DELETE FROM items WHERE namespace = ?", `run:${runId(identity.environmentId, id)}`);
    sweep.runsAfter = id;
  }
  sql.exec("UPDATE history SET runs_forgotten_below = max(runs_forgotten_below, ?)", last.id + 1);
  return true;
}

function forgetSteps({ sql }: EnvironmentContext): boolean {
  const [next] = sql.exec<{ run: number }>("SELECT run FROM forgotten_runs LIMIT 1").toArray();
  if (next === undefined) return false;
  const deleted = deleteSomeSteps({ sql }, next.run, FORGOTTEN_STEPS_AT_ONCE);
  if (!deleted) sql.exec("DELETE FROM forgotten_runs WHERE run = ?", next.run);
  return true;
}

function forgetEvents({ sql, identity }: EnvironmentContext, sweep: Sweep, now: number): boolean {
  const horizon = eventsHorizon(identity.retention, now);
  const events = sql
    .exec<{ id: number }>(
      `SELECT e.id FROM events e WHERE e.id > ? AND e.id < ? AND e.id <= (SELECT events_until FROM history)
       AND e.waits_until IS NULL AND (e.deliver_at IS NULL OR e.deliver_at < ?)
       AND e.id NOT IN (SELECT event FROM passed_events)
       AND NOT EXISTS (SELECT 1 FROM reruns WHERE event = e.id)
       AND NOT EXISTS (SELECT 1 FROM json_each(e.runs) named JOIN runs r ON r.id = json_extract(named.value, '$[0]'))
       ORDER BY e.id LIMIT ?`,
      sweep.eventsAfter,
      firstSequenceAt(horizon),
      horizon,
      FORGOTTEN_AT_ONCE,
    )
    .toArray();
  const last = events.at(-1);
  if (last === undefined) return false;
  sweep.eventsAfter = last.id;
  sql.exec(
    "DELETE FROM events WHERE id IN (SELECT value FROM json_each(?))",
    JSON.stringify(events.map(({ id }) => id)),
  );
  sql.exec("UPDATE history SET events_forgotten_below = max(events_forgotten_below, ?)", last.id + 1);
  return true;
}
