// The scheduler Worker: what the Cron Trigger calls, once a minute. A tick is a hint: each book looks itself what is due,
// so one that comes twice, late, out of order or not at all changes nothing but the minute.

import { BOOK_NAMES } from "../../shared/contracts/schedule-book.ts";
import { now } from "../../shared/kernel/clock.ts";
import { errorName, log, setLogLevel } from "../../shared/kernel/log.ts";
import { type Env, parseSettings } from "../env.ts";

/** A tick may say that it is a little later than the clock does: timers fire early. More is not believed. */
const AHEAD_MS = 60_000;

/** Tells every book the time. Rejects when one could not be told, after all others were; the next tick makes up for it. */
export async function tickSchedules(scheduledTime: number, env: Env): Promise<void> {
  setLogLevel(parseSettings(env).LOG_LEVEL);
  const started = now();
  const time = Math.max(started, Math.min(scheduledTime, started + AHEAD_MS));
  const told = await Promise.allSettled(BOOK_NAMES.map((name) => env.SCHEDULE_BOOK.getByName(name).tick(time)));
  const sums = { environments: 0, events: 0, failed: 0 };
  const away: unknown[] = [];
  for (const each of told) {
    if (each.status === "rejected") away.push(each.reason);
    else {
      sums.environments += each.value.environments;
      sums.events += each.value.events;
      sums.failed += each.value.failed;
    }
  }
  const level = away.length > 0 || sums.failed > 0 ? "error" : sums.environments > 0 ? "info" : "debug";
  log(level, "schedules", { ...sums, ms: now() - started, ...(away.length > 0 && { name: errorName(away[0]) }) });
  if (away.length > 0) throw new Error(`${away.length} of ${BOOK_NAMES.length} schedule books could not be told`);
}
