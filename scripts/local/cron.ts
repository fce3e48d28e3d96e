// Calls the scheduler every minute on the minute, like Cloudflare's Cron Triggers. A tick is a hint: the next one makes
// up for a tick that is late or lost because the machine slept.
const MINUTE_MS = 60_000;

/** The only supported expression; others fire on the deployed router only. */
export const EVERY_MINUTE = "* * * * *";

/** Calls `tick` with each minute, in Unix milliseconds, as soon as it begins. Returns a function that stops this. */
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

/** The beginning of the minute after `now`. A timer that fires a little early must not return the same minute again. */
export function nextMinute(now: number): number {
  return Math.floor(now / MINUTE_MS) * MINUTE_MS + MINUTE_MS;
}
