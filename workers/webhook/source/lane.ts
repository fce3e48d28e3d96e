// The calls to one environment that may be under way at once, by number and by the bytes of their deliveries. Each
// environment has a lane of its own: one that hangs holds up its own calls, never another's, and never the object's memory.
import { LANE_MAX_BYTES, LANE_MAX_CALLS } from "../../../shared/kernel/limits.ts";

interface Waiting {
  readonly bytes: number;
  readonly go: () => void;
}

export class Lane {
  #bytes = 0;
  #calls = 0;
  readonly #waiting: Waiting[] = [];

  /** Does the work when there is room, in the order of the calls. */
  async run<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    if (this.#waiting.length > 0 || !this.#hasRoom(bytes)) {
      await new Promise<void>((resolve) => this.#waiting.push({ bytes, go: resolve }));
    } else this.#enter(bytes);
    try {
      return await work();
    } finally {
      this.#bytes -= bytes;
      this.#calls--;
      this.#admit();
    }
  }

  /** Always one at least, however large. */
  #hasRoom(bytes: number): boolean {
    return this.#calls === 0 || (this.#calls < LANE_MAX_CALLS && this.#bytes + bytes <= LANE_MAX_BYTES);
  }

  #enter(bytes: number): void {
    this.#bytes += bytes;
    this.#calls++;
  }

  #admit(): void {
    for (let next = this.#waiting[0]; next !== undefined && this.#hasRoom(next.bytes); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#enter(next.bytes);
      next.go();
    }
  }
}
