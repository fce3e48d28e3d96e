// What an environment does by the clock: delayed events, delays and fetches of runs, runs that wait after a loss, hosts
// that may be gone. The next due time is computed from what is stored and from the hosts' attachments, so an alarm that
// was lost or came twice does no harm.
import { START_WRITTEN_AFTER_MS } from "../../../shared/kernel/limits.ts";
import { routeDelayedEvent } from "../events/accept-event.ts";
import { dueAnnouncements, postponeAnnouncements } from "../notices/source-notices.ts";
import { beginAttempt } from "../runs/fetches.ts";
import { checkHosts } from "../runs/liveness.ts";
import { deliverSettled, settleStep } from "../runs/pending-answers.ts";
import { writeStart } from "../runs/run-rows.ts";
import { nextOwedWake, postponeWake } from "../schedules/registered.ts";
import type { Turn } from "../state/commits.ts";
import type { EnvironmentContext } from "../state/context.ts";
import type { StepRow } from "../storage/rows.ts";

/** Delayed events or owed steps handled in one turn; the alarm comes back at once for the rest. */
const AT_ONCE = 500;

/** The next time at which something stored is due; null when nothing is. Unix milliseconds on the router's clock. */
export function nextStoredTime(context: EnvironmentContext): number | null {
  const { sql, queue } = context;
  // One query: it is asked after every commit.
  const stored = sql
    .exec<Record<string, number | null>>(
      `SELECT (SELECT min(waits_until) FROM events WHERE waits_until IS NOT NULL) AS event,
         (SELECT min(due_at) FROM steps WHERE due_at IS NOT NULL AND host NOT IN (SELECT value FROM json_each(?))) AS step,
         (SELECT min(due_at) FROM owed_sources) AS source,
         (SELECT due_at FROM owed_wake) AS wake`,
      JSON.stringify(context.hosts.held.fullHosts()),
    )
    .one();
  const times = [...Object.values(stored), queue.nextPostponed(), context.history.next(context)].filter(
    (time) => time !== null,
  );
  return times.length === 0 ? null : Math.min(...times);
}

/** What is due now, each as an operation of its own, so that one that fails does not hold up the others. */
export function dueWork(context: EnvironmentContext, now: number): ((turn: Turn) => void)[] {
  return [
    ...dueEvents(context, now).map(
      ({ id }) =>
        (turn: Turn) =>
          routeDelayedEvent(context, turn, id, now),
    ),
    ...dueSteps(context, now).map((step) => (turn: Turn) => advanceStep(context, turn, step, now)),
    (turn) => {
      for (const workflow of context.queue.endPostponements(now)) turn.dispatch(workflow);
    },
    (turn) => checkHosts(context, turn, now),
    (turn) => announceDue(context, turn, now),
    (turn) => wakeDue(context, turn, now),
    (turn) => archiveDue(context, turn, now),
  ];
}

function wakeDue(context: EnvironmentContext, turn: Turn, now: number): void {
  const due = nextOwedWake(context);
  if (due === null || due > now) return;
  // Not again while the call is made.
  postponeWake(context.sql, now);
  turn.afterwards(() => context.wake());
}

function archiveDue(context: EnvironmentContext, turn: Turn, now: number): void {
  const due = context.history.next(context);
  if (due !== null && due <= now) turn.afterwards(() => context.archive());
}

function announceDue(context: EnvironmentContext, turn: Turn, now: number): void {
  const due = dueAnnouncements(context, now);
  if (due.length === 0) return;
  postponeAnnouncements(context, now);
  turn.afterwards(() => {
    for (const trigger of due) context.announce(trigger);
  });
}

function advanceStep(context: EnvironmentContext, turn: Turn, step: StepRow, now: number): void {
  if (step.finished_at !== null) deliverSettled(context, turn, step, now);
  else if (step.kind === "FETCH_REQUEST") beginAttempt(context, turn, step, now);
  else settleStep(context, turn, step, { result: null, failed: false }, now);
}

/** Writes down the starts of runs that have been on their hosts for a while. */
export function writeLongStarts(context: EnvironmentContext, turn: Turn, now: number): void {
  for (const host of context.hosts.all()) {
    for (const held of host.held.values()) {
      if (held.startedAt !== null && held.startedAt + START_WRITTEN_AFTER_MS <= now) writeStart(context, turn, held);
    }
  }
}

function dueEvents({ sql }: EnvironmentContext, now: number): { id: number }[] {
  return sql
    .exec<{ id: number }>(
      "SELECT id FROM events WHERE waits_until IS NOT NULL AND waits_until <= ? ORDER BY waits_until LIMIT ?",
      now,
      AT_ONCE,
    )
    .toArray();
}

/** Owed steps that are due, less those whose host is full: they are woken when it has room. */
function dueSteps(context: EnvironmentContext, now: number): StepRow[] {
  return context.sql
    .exec<StepRow>(
      `SELECT * FROM steps WHERE due_at IS NOT NULL AND due_at <= ?
       AND host NOT IN (SELECT value FROM json_each(?)) ORDER BY due_at LIMIT ?`,
      now,
      JSON.stringify(context.hosts.held.fullHosts()),
      AT_ONCE,
    )
    .toArray();
}
