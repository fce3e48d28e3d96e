// Who waits for a run to end (`Prefer: wait`). Kept in memory: a waiter is a request that is open anyway.

export class RunEnds {
  readonly #waiting = new Map<number, Set<() => void>>();

  notify(run: number): void {
    for (const wake of this.#waiting.get(run) ?? []) wake();
    this.#waiting.delete(run);
  }

  /** Resolves when every run has ended, or when the time is over. Runs that have ended already must not be named. */
  async until(runs: readonly number[], timeoutMs: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | null = null;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
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
    clearTimeout(timer);
    for (const [run, wake] of wakes) this.#waiting.get(run)?.delete(wake);
  }
}
