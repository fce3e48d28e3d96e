// Ends, in reverse order, all parts of a start: on a signal, when the parent process is gone, or when the start fails
// half-way.

/** A second Ctrl-C forces the end. One Ctrl-C can arrive more than once: from the terminal, from npm, from the parent. */
const SAME_SIGNAL_WITHIN_MS = 1_000;
/** A stop that takes longer is forced. */
const STOPPED_WITHIN_MS = 10_000;

export class Stoppers {
  readonly #stops: (() => Promise<void>)[] = [];
  #stoppingSince: number | null = null;

  /** True once the end has begun: later failures are its consequence. */
  get stopping(): boolean {
    return this.#stoppingSince !== null;
  }

  /** Adds the function that ends a part just started. */
  add(stop: () => Promise<void>): void {
    this.#stops.push(stop);
  }

  /** From here on SIGINT, SIGTERM, SIGHUP and the loss of the parent end all parts and the process, with code 0. */
  onSignals(): void {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => this.#signalled());
    process.on("disconnect", () => void this.exit(0));
  }

  /** Ends all parts, then the process. A part that cannot be ended does not hold up the others. */
  async exit(code: number): Promise<void> {
    if (this.stopping) return;
    this.#stoppingSince = performance.now();
    setTimeout(() => process.exit(code || 1), STOPPED_WITHIN_MS).unref();
    for (const stop of this.#stops.toReversed()) {
      await stop().catch((error: unknown) => console.error("While stopping:", error));
    }
    process.exit(code);
  }

  #signalled(): void {
    if (this.#stoppingSince === null) void this.exit(0);
    else if (performance.now() - this.#stoppingSince > SAME_SIGNAL_WITHIN_MS) process.exit(130);
  }
}
