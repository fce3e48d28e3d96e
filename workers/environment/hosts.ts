// The live connections of an environment. A host is one socket: one trigger in one process of the user's.
//
// Which runs a host holds stands in its socket's attachment, not in a row: it survives hibernation, it ends with the
// socket, and a dispatch costs no write. `save` must be called at the end of every turn that changed a host.
import { z } from "zod";
import { HOST_MAX_RUNNING } from "../../shared/limits.ts";

export interface HeldRun {
  readonly run: number;
  readonly attempt: number;
  readonly offeredAt: number;
  /** The host said it took the run: by its answer to the offer, or by starting. */
  taken: boolean;
  startedAt: number | null;
}

export interface HostRegistration {
  readonly workflow: number;
  /** The definition's version when this host registered it; 0 for one older than all that are known. */
  readonly version: number;
  /** Stable over reconnects and different per process: the call id of the registration. */
  readonly process: string;
  /** Parts in which this host's definition differs from the one in force. */
  readonly differs: readonly string[];
}

export interface Host {
  readonly socket: WebSocket;
  readonly id: number;
  readonly keyId: string;
  readonly secretVersion: number;
  /** Origin of the URL the host connected to, for links to the dashboard. */
  readonly origin: string;
  readonly connectedAt: number;
  registration: HostRegistration | null;
  /** Frames that were answered `false` or ignored because of their form. */
  refusedFrames: number;
  readonly held: Map<number, HeldRun>;
}

const Attachment = z.object({
  v: z.literal(1),
  id: z.number(),
  keyId: z.string(),
  secretVersion: z.number(),
  origin: z.string(),
  connectedAt: z.number(),
  registration: z
    .object({ workflow: z.number(), version: z.number(), process: z.string(), differs: z.array(z.string()) })
    .nullable(),
  refusedFrames: z.number(),
  /** `[run, attempt, offeredAt, taken (0 or 1), startedAt (0 for not)]` each, to stay far below 16 KiB. */
  held: z.array(z.tuple([z.number(), z.number(), z.number(), z.number(), z.number()])),
});

export type NewHost = Pick<Host, "id" | "keyId" | "secretVersion" | "origin" | "connectedAt">;

export class Hosts {
  readonly #bySocket = new Map<WebSocket, Host>();
  readonly #byWorkflow = new Map<number, Set<Host>>();
  readonly #holders = new Map<number, Host>();
  readonly #changed = new Set<Host>();

  /** Takes up the sockets that survived a hibernation. One whose attachment cannot be read is closed. */
  restore(sockets: readonly WebSocket[]): void {
    for (const socket of sockets) {
      const parsed = Attachment.safeParse(socket.deserializeAttachment());
      if (!parsed.success) {
        socket.close(1011, "the connection's state could not be read");
        continue;
      }
      const { held, v: _, ...rest } = parsed.data;
      const host: Host = { ...rest, socket, held: new Map() };
      this.#bySocket.set(socket, host);
      if (host.registration) this.#enlist(host, host.registration.workflow);
      for (const [run, attempt, offeredAt, taken, startedAt] of held) {
        host.held.set(run, { run, attempt, offeredAt, taken: taken === 1, startedAt: startedAt || null });
        this.#holders.set(run, host);
      }
    }
  }

  add(socket: WebSocket, details: NewHost): Host {
    const host: Host = { ...details, socket, registration: null, refusedFrames: 0, held: new Map() };
    this.#bySocket.set(socket, host);
    this.#changed.add(host);
    return host;
  }

  of(socket: WebSocket): Host | undefined {
    return this.#bySocket.get(socket);
  }

  all(): Iterable<Host> {
    return this.#bySocket.values();
  }

  ofWorkflow(workflow: number): ReadonlySet<Host> {
    return this.#byWorkflow.get(workflow) ?? new Set();
  }

  holder(run: number): Host | undefined {
    return this.#holders.get(run);
  }

  register(host: Host, registration: HostRegistration): void {
    if (host.registration) this.#byWorkflow.get(host.registration.workflow)?.delete(host);
    host.registration = registration;
    this.#enlist(host, registration.workflow);
    this.#changed.add(host);
  }

  /** Forgets the host and answers the runs it held, oldest first. */
  remove(host: Host): HeldRun[] {
    this.#bySocket.delete(host.socket);
    this.#changed.delete(host);
    if (host.registration) this.#byWorkflow.get(host.registration.workflow)?.delete(host);
    for (const run of host.held.keys()) this.#holders.delete(run);
    return [...host.held.values()].sort((a, b) => a.run - b.run);
  }

  hold(host: Host, run: HeldRun): void {
    host.held.set(run.run, run);
    this.#holders.set(run.run, host);
    this.#changed.add(host);
  }

  release(run: number): void {
    const host = this.#holders.get(run);
    if (!host) return;
    host.held.delete(run);
    this.#holders.delete(run);
    this.#changed.add(host);
  }

  /** Marks that something in the host changed, so that `save` writes its attachment. */
  touch(host: Host): void {
    this.#changed.add(host);
  }

  /** Writes the attachments of the hosts that changed. Costs nothing on the bill. */
  save(): void {
    for (const host of this.#changed) {
      if (host.socket.readyState !== WebSocket.OPEN) continue;
      const { socket: _, held, ...rest } = host;
      host.socket.serializeAttachment({
        ...rest,
        v: 1,
        held: [...held.values()].map((h) => [h.run, h.attempt, h.offeredAt, h.taken ? 1 : 0, h.startedAt ?? 0]),
      });
    }
    this.#changed.clear();
  }

  #enlist(host: Host, workflow: number): void {
    const hosts = this.#byWorkflow.get(workflow) ?? new Set();
    hosts.add(host);
    this.#byWorkflow.set(workflow, hosts);
  }
}

/** The host to offer the next run to: the one with the fewest in flight that has room, or none. */
export function leastBusy(hosts: Iterable<Host>): Host | undefined {
  let best: Host | undefined;
  for (const host of hosts) {
    if (host.held.size >= HOST_MAX_RUNNING) continue;
    if (!best || host.held.size < best.held.size) best = host;
  }
  return best;
}
