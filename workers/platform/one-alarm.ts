// The one alarm of a Durable Object. Times are Unix milliseconds on the machine's clock.

/** Sets the alarm only when it becomes earlier, because each `setAlarm` is billed as a row written. */
export class OneAlarm {
  readonly #storage: Pick<DurableObjectStorage, "getAlarm" | "setAlarm" | "deleteAlarm">;
  /** Time the alarm is set to; null if it is not set. */
  #at: number | null = null;

  constructor(storage: Pick<DurableObjectStorage, "getAlarm" | "setAlarm" | "deleteAlarm">) {
    this.#storage = storage;
  }

  /** Asks the platform for the alarm that an earlier life of the object has set. Call it once, when the object opens. */
  async load(): Promise<void> {
    this.#at = await this.#storage.getAlarm();
  }

  /** The platform has just called the object's `alarm` handler: no alarm is set any more. */
  fired(): void {
    this.#at = null;
  }

  /** Makes the alarm fire at this time or earlier. */
  async setNoLaterThan(at: number): Promise<void> {
    // An alarm that is set to the present from inside `alarm` would not fire.
    const time = Math.max(at, Date.now() + 1);
    if (this.#at !== null && this.#at <= time) return;
    this.#at = time;
    await this.#storage.setAlarm(time);
  }

  async clear(): Promise<void> {
    this.#at = null;
    await this.#storage.deleteAlarm();
  }
}
