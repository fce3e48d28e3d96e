// What the benchmark needs of a system, its own or another: events in over HTTP, a handler in another process.
import type { Request } from "./load.ts";

export interface Handled {
  /** When the handler was called with the event, and when its completion was known to be recorded. Monotonic ms. */
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
  /** Waits until the events `first` to `first + count - 1` are completed; null for a system that only takes them in. */
  handled: ((first: number, count: number) => Promise<Handled>) | null;
  /** Of what takes the events in and keeps them, an HTTP front and a database included. */
  server(): Promise<Usage>;
  /** Of the process that handles the events; null where there is none. */
  host: (() => Promise<Usage>) | null;
  stop(): Promise<void>;
}

export interface System {
  readonly name: string;
  /** What is measured: how durable it is, how it is driven. */
  readonly note: string;
  /** What is missing on this machine and the command that installs it, or null. */
  missing(): Promise<string | null>;
  /** Starts it with its data in this empty directory. */
  start(directory: string): Promise<Running>;
}
