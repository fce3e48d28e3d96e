// Requests that wait for runs to end (`Prefer: wait`). In memory only: a waiter is a request that is open anyway.
import type { TimerHandle, Timers } from "../../platform/time.ts";

export class RunWaiters {
  readonly #timers: Timers;
  readonly #waiting = new Map<number, Set<() => void>>();

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** The run has ended. */
  notify(run: number): void {
    for (const wake of this.#waiting.get(run) ?? []) wake();
    this.#waiting.delete(run);
  }

  /** Resolves when all runs have ended, or after `timeoutMs`. Do not name runs that have ended already. */
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
