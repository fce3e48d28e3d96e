// What an environment does by the clock: for now, events whose delay has ended. The next due time is computed from
// what is stored, so an alarm that was lost or came twice does no harm.
import type { Turn } from "./commits.ts";
import type { EnvironmentContext } from "./context.ts";
import { routeDelayedEvent } from "./events.ts";

/** Delayed events routed in one turn; the alarm comes back at once for the rest. */
const AT_ONCE = 500;

/** Unix milliseconds on the router's clock, or null when nothing waits for a time. */
export function nextDueTime({ sql }: EnvironmentContext): number | null {
  return sql
    .exec<{ due: number | null }>("SELECT min(waits_until) AS due FROM events WHERE waits_until IS NOT NULL")
    .one().due;
}

export function deliverDueEvents(context: EnvironmentContext, turn: Turn, now: number): void {
  const due = context.sql
    .exec<{ id: number }>(
      "SELECT id FROM events WHERE waits_until IS NOT NULL AND waits_until <= ? ORDER BY waits_until LIMIT ?",
      now,
      AT_ONCE,
    )
    .toArray();
  for (const { id } of due) routeDelayedEvent(context, turn, id, now);
}
