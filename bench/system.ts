// A system to measure, this router or another: events in over HTTP, a handler in another process.
import type { Request } from "./load.ts";

export interface Handled {
  /** Times at which the handler got the event, and at which its completion was known to be recorded. Monotonic ms. */
  readonly handledAt: Float64Array;
  readonly completedAt: Float64Array;
}

/** What processes and all their descendants take. */
export interface Usage {
  /** Resident bytes. What processes share is counted for each. */
  readonly memoryBytes: number;
  /** Processor time since they started. */
  readonly processorMs: number;
}

export interface Running {
  readonly url: string;
  request(n: number): Request;
  /**
   * Waits until the events `first` to `first + count - 1` are completed; null for a system that only accepts events.
   */
  handled: ((first: number, count: number) => Promise<Handled>) | null;
  /** Usage of all processes that accept and store events, an HTTP front and a database included. */
  server(): Promise<Usage>;
  /** Usage of the process that handles the events; null where there is none. */
  host: (() => Promise<Usage>) | null;
  stop(): Promise<void>;
}

export interface System {
  readonly name: string;
  /** Durability and drive of the measured system. */
  readonly note: string;
  /** The missing part and the command that installs it, or null. */
  missing(): Promise<string | null>;
  /** Starts the system with its data in this empty directory. */
  start(directory: string): Promise<Running>;
}
