// Who waits for a run to end (`Prefer: wait`). Kept in memory: a waiter is a request that is open anyway.
import type { TimerHandle, Timers } from "../../platform/time.ts";

export class RunEnds {
  readonly #timers: Timers;
  readonly #waiting = new Map<number, Set<() => void>>();

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  notify(run: number): void {
    for (const wake of this.#waiting.get(run) ?? []) wake();
    this.#waiting.delete(run);
  }

  /** Resolves when every run has ended, or when the time is over. Runs that have ended already must not be named. */
  async until(runs: readonly number[], timeoutMs: number): Promise<void> {
    let timer: TimerHandle | null = null;
    const timeout = new Promise<void>((resolve) => {
      timer = this.#timers.after(timeoutMs, resolve);
    });
    const wakes: (readonly [number, () => void])[] = [];
    const ended = Promise.all(
      runs.map(
        (run) =>
          new Promise<void>((resolve) => {
            wakes.push([run, resolve]);
            this.#waiting.set(run, (this.#waiting.get(run) ?? new Set()).add(resolve));
          }),
      ),
    );
    await Promise.race([ended, timeout]);
    if (timer !== null) this.#timers.clear(timer);
    for (const [run, wake] of wakes) this.#waiting.get(run)?.delete(wake);
  }
}
