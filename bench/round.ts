// One round of one system: started anew on an empty directory, measured, stopped. No system runs beside another, so
// other work of the machine affects all alike.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Load, type Sent } from "./load.ts";
import { quantile } from "./measure.ts";
import type { Handled, Running } from "./system.ts";

export interface Effort {
  readonly rounds: number;
  /** Events sent before any measurement, and at saturation. */
  readonly warmUp: number;
  readonly events: number;
  readonly connections: number;
  /** Events per second; "half" is half of the system's saturation in the same round. */
  readonly rates: readonly (number | "half")[];
  readonly rateSeconds: number;
}

export interface Saturation {
  /** Completed events where there is a handler, else acknowledged ones. */
  readonly perSecond: number;
  /** Processors that the load took. */
  readonly load: number;
  /** Processor time per event. */
  readonly serverMs: number;
  readonly hostMs: number | null;
  readonly serverBytes: number;
  readonly hostBytes: number | null;
}

export interface Latency {
  readonly ack50: number;
  readonly ack99: number;
  /** From the sending of the event to the call of its handler. */
  readonly handler50: number | null;
  readonly handler99: number | null;
}

/** Starts a system with its data in a directory of its own, which is deleted at the end. */
export async function withRunning<R extends Pick<Running, "stop">, T>(
  start: (directory: string) => Promise<R>,
  work: (running: R) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), "switchyard-bench-"));
  try {
    const running = await start(directory);
    try {
      return await work(running);
    } finally {
      await running.stop();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Sends events to a running system and waits until all are handled; numbers continue from call to call. */
export class Driver {
  readonly #running: Running;
  readonly #load: Load;
  #next = 0;

  constructor(running: Running, connections: number) {
    this.#running = running;
    this.#load = new Load(running.url, connections, (n) => running.request(n));
  }

  async saturate(events: number): Promise<Saturation> {
    const { server, host } = this.#running;
    const [serverBefore, hostBefore] = [await server(), await host?.()];
    const { sent, handled } = await this.#together(events, (first) => this.#load.asFastAsPossible(first, events));
    const [serverAfter, hostAfter] = [await server(), await host?.()];
    const last = Math.max(...(handled?.completedAt ?? sent.acknowledgedAt));
    return {
      perSecond: events / ((last - Math.min(...sent.sentAt)) / 1000),
      load: sent.processors,
      serverMs: (serverAfter.processorMs - serverBefore.processorMs) / events,
      hostMs: hostAfter && hostBefore ? (hostAfter.processorMs - hostBefore.processorMs) / events : null,
      serverBytes: serverAfter.memoryBytes,
      hostBytes: hostAfter?.memoryBytes ?? null,
    };
  }

  async atRate(perSecond: number, seconds: number): Promise<Latency> {
    const count = Math.max(1, Math.round(perSecond * seconds));
    const { sent, handled } = await this.#together(count, (first) => this.#load.atRate(first, count, perSecond));
    const acknowledged = Array.from(sent.acknowledgedAt, (at, i) => at - (sent.sentAt[i] ?? 0));
    const reached = handled && Array.from(handled.handledAt, (at, i) => at - (sent.sentAt[i] ?? 0));
    return {
      ack50: quantile(acknowledged, 0.5),
      ack99: quantile(acknowledged, 0.99),
      handler50: reached && quantile(reached, 0.5),
      handler99: reached && quantile(reached, 0.99),
    };
  }

  close(): void {
    this.#load.close();
  }

  /** Requested before sending, so that the last completion is reported when it happens. */
  async #together(
    count: number,
    send: (first: number) => Promise<Sent>,
  ): Promise<{ sent: Sent; handled: Handled | null }> {
    const first = this.#next;
    this.#next += count;
    const handled = this.#running.handled?.(first, count) ?? null;
    const sent = await send(first);
    return { sent, handled: handled && (await handled) };
  }
}
