// Calls the scheduler every minute on the minute, as Cloudflare's Cron Triggers do. A tick is a hint: one that is late
// or lost, because the machine slept, is caught up by the next.
const MINUTE_MS = 60_000;

/** The only expression that is understood here; others fire on the deployed router only. */
export const EVERY_MINUTE = "* * * * *";

/** Calls `tick` with the minute, in Unix milliseconds, as soon as it begins. Answers how to stop. */
export function everyMinute(tick: (minute: number) => void): () => void {
  let timer: NodeJS.Timeout;
  const wait = () => {
    const minute = nextMinute(Date.now());
    timer = setTimeout(() => {
      tick(minute);
      wait();
    }, minute - Date.now());
  };
  wait();
  return () => clearTimeout(timer);
}

/** The beginning of the minute after `now`. A timer that fires a little early must not find the same minute again. */
export function nextMinute(now: number): number {
  return Math.floor(now / MINUTE_MS) * MINUTE_MS + MINUTE_MS;
}
