// Hosts without sockets: what a registry of hosts needs of them, in memory.
import type { HeldRun, HostSocket } from "./host.ts";
import type { HostWire } from "./host-wire.ts";

/** A socket that remembers what was done to it. */
export class FakeSocket implements HostSocket {
  readyState: number = WebSocket.OPEN;
  readonly sent: unknown[] = [];
  closed: { readonly code: number | undefined; readonly reason: string | undefined } | null = null;
  attachment: unknown = null;
  /** Number of times that the attachment was written. */
  writes = 0;

  send(frame: unknown): void {
    this.sent.push(frame);
  }

  close(code?: number, reason?: string): void {
    this.closed = { code, reason };
    this.readyState = WebSocket.CLOSED;
  }

  serializeAttachment(attachment: unknown): void {
    this.attachment = structuredClone(attachment);
    this.writes += 1;
  }

  deserializeAttachment(): unknown {
    return structuredClone(this.attachment);
  }
}

/** A wire whose frames name what they say. */
export const WIRE: HostWire = {
  offer: ({ run, attempt }) => `offer ${run} ${attempt}`,
  result: ({ runId, key }) => `result ${runId} ${key}`,
  probe: (number) => `probe ${number}`,
};

/** A run as it is when it has just been offered. */
export function offeredRun(run: number, more: Partial<HeldRun> = {}): HeldRun {
  return { run, attempt: 0, offeredAt: 0, taken: false, startedAt: null, written: false, lostInARow: 0, ...more };
}
