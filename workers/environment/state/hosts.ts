// The live connections of an environment. A host is one socket: one trigger in one process of the user's.
//
// Which runs a host holds stands in its socket's attachment, not in a row: it survives hibernation, it ends with the
// socket, and a dispatch costs no write. `save` must be called at the end of every turn that changed a host. A run
// that waits for an answer of the router is asleep: it stands in its step's row instead, and counts for nothing here.
import { z } from "zod";
import { HOST_MAX_HELD, HOST_MAX_RUNNING, SUSPECT_AFTER_LOST } from "../../../shared/kernel/limits.ts";
import { errorName, log } from "../../../shared/kernel/log.ts";

export interface HeldRun {
  readonly run: number;
  readonly attempt: number;
  readonly offeredAt: number;
  /** The host said it took the run: by its answer to the offer, or by starting. */
  taken: boolean;
  startedAt: number | null;
  /** The start stands in the run's row, so that it is known also when this object's memory is lost. */
  written: boolean;
  /** Attempts lost one after the other before this one. */
  lostInARow: number;
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

/**
 * `serving`: gets runs. `silent`: did not answer an offer or a probe in time; gets none until it is heard of again.
 * `superseded`: its process has registered over a newer socket; it gets no more runs and is left open, since closing
 * it would only make the client open another one.
 */
export type HostStanding = "serving" | "silent" | "superseded";

/** The part of a WebSocket that a host needs. */
export type HostSocket = Pick<
  WebSocket,
  "readyState" | "send" | "close" | "serializeAttachment" | "deserializeAttachment"
>;

export interface Host {
  readonly socket: HostSocket;
  /** Unique in the environment; a new one after the host was lost and heard of again. */
  id: number;
  readonly keyId: string;
  readonly secretVersion: number;
  /** Origin of the URL the host connected to, for links to the dashboard. */
  readonly origin: string;
  readonly connectedAt: number;
  registration: HostRegistration | null;
  standing: HostStanding;
  /** When it last sent anything. */
  heardAt: number;
  /** When it was sent a probe that it has not acknowledged, or null. */
  probedAt: number | null;
  /** Frames that were answered `false` or ignored because of their form. */
  refusedFrames: number;
  readonly held: Map<number, HeldRun>;
}

/** Where the search for waiting runs of the host's workflow stood when the attachment was written. */
export interface SearchState {
  readonly watermark: number;
  readonly sleepersSought: boolean;
  /** Runs of the workflow wait for a time that stands in their rows. */
  readonly postponed: boolean;
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
  standing: z.enum(["serving", "silent", "superseded"]),
  heardAt: z.number(),
  probedAt: z.number().nullable(),
  refusedFrames: z.number(),
  search: z.object({ watermark: z.number(), sleepersSought: z.boolean(), postponed: z.boolean() }).nullable(),
  held: z.string(),
});

const TAKEN = 1;
const WRITTEN = 2;

export class Hosts {
  readonly #bySocket = new Map<HostSocket, Host>();
  readonly #byId = new Map<number, Host>();
  readonly #byWorkflow = new Map<number, Set<Host>>();
  /** The same hosts by how many runs they hold, so that the least busy of thousands is found without looking at all. */
  readonly #byLoad = new Map<number, Set<Host>[]>();
  readonly #holders = new Map<number, Host>();
  /** Offers that were not answered yet, oldest first. */
  readonly #offered = new Map<number, HeldRun>();
  /** Hosts without room for one more woken run. */
  readonly #full = new Set<Host>();
  readonly #unwatched = new Set<HeldRun>();
  readonly #changed = new Set<Host>();

  /** Takes up the sockets that survived a hibernation. One whose attachment cannot be read is closed. */
  restore(sockets: readonly HostSocket[], resume: (workflow: number, search: SearchState) => void): void {
    for (const socket of sockets) {
      const parsed = Attachment.safeParse(socket.deserializeAttachment());
      if (!parsed.success) {
        socket.close(1011, "the connection's state could not be read");
        continue;
      }
      const { held, search, v: _, ...rest } = parsed.data;
      const host: Host = { ...rest, socket, held: new Map() };
      this.#bySocket.set(socket, host);
      this.#byId.set(host.id, host);
      if (host.registration) {
        this.#enlist(host, host.registration.workflow);
        if (search) resume(host.registration.workflow, search);
      }
      for (const run of unpackHeld(held, host)) this.hold(host, run);
    }
    this.#changed.clear();
  }

  add(socket: HostSocket, details: Pick<Host, "id" | "keyId" | "secretVersion" | "origin" | "connectedAt">): Host {
    const host: Host = {
      ...details,
      socket,
      registration: null,
      standing: "serving",
      heardAt: details.connectedAt,
      probedAt: null,
      refusedFrames: 0,
      held: new Map(),
    };
    this.#bySocket.set(socket, host);
    this.#byId.set(host.id, host);
    this.#changed.add(host);
    return host;
  }

  of(socket: HostSocket): Host | undefined {
    return this.#bySocket.get(socket);
  }

  /** The host with this id while it is connected and was not lost. */
  byId(id: number | null): Host | undefined {
    return id === null ? undefined : this.#byId.get(id);
  }

  /** The ids that `byId` knows. */
  ids(): number[] {
    return [...this.#byId.keys()];
  }

  all(): Iterable<Host> {
    return this.#bySocket.values();
  }

  /** The registered hosts of a workflow, whatever their standing. */
  ofWorkflow(workflow: number): ReadonlySet<Host> {
    return this.#byWorkflow.get(workflow) ?? new Set();
  }

  /**
   * The host to offer the next run of a workflow to: the one with the fewest in flight that has room, or none. A suspect
   * goes only to a host that has no other.
   */
  leastBusy(workflow: number, suspect = false): Host | undefined {
    for (const hosts of (this.#byLoad.get(workflow) ?? []).slice(0, HOST_MAX_RUNNING)) {
      for (const host of hosts) {
        if (host.standing !== "serving") continue;
        if (suspect && [...host.held.values()].some(isSuspect)) continue;
        return host;
      }
    }
    return undefined;
  }

  holder(run: number): Host | undefined {
    return this.#holders.get(run);
  }

  register(host: Host, registration: HostRegistration): void {
    this.#delist(host);
    host.registration = registration;
    this.#enlist(host, registration.workflow);
    this.#changed.add(host);
  }

  /** Forgets the host's socket and answers the runs it held, oldest first. */
  remove(host: Host): HeldRun[] {
    const lost = this.abandon(host);
    this.#bySocket.delete(host.socket);
    this.#changed.delete(host);
    this.#delist(host);
    return lost;
  }

  /** Takes all runs from a host that stays connected: nothing it says of them counts from here on. */
  abandon(host: Host): HeldRun[] {
    const lost = [...host.held.values()].sort((a, b) => a.run - b.run);
    for (const { run } of lost) this.release(run);
    this.#byId.delete(host.id);
    return lost;
  }

  /** A host that was silent is heard of again. If it was abandoned, it is a new host from here on. */
  revive(host: Host, newId: () => number): void {
    host.standing = "serving";
    if (!this.#byId.has(host.id)) {
      host.id = newId();
      this.#byId.set(host.id, host);
    }
    this.#changed.add(host);
  }

  hold(host: Host, run: HeldRun): void {
    this.#byLoadOf(host)?.delete(host);
    host.held.set(run.run, run);
    this.#byLoadOf(host)?.add(host);
    this.#holders.set(run.run, host);
    if (!run.taken) this.#offered.set(run.run, run);
    this.#unwatched.add(run);
    if (!hasRoomToWake(host)) this.#full.add(host);
    this.#changed.add(host);
  }

  release(run: number): void {
    const host = this.#holders.get(run);
    if (!host) return;
    const held = host.held.get(run);
    if (held) this.#unwatched.delete(held);
    this.#byLoadOf(host)?.delete(host);
    host.held.delete(run);
    this.#byLoadOf(host)?.add(host);
    this.#full.delete(host);
    this.#holders.delete(run);
    this.#offered.delete(run);
    this.#changed.add(host);
  }

  /** The host took the run: it answered the offer, or started. */
  take(host: Host, held: HeldRun): void {
    held.taken = true;
    this.#offered.delete(held.run);
    this.#changed.add(host);
  }

  /** Whether runs are held that nobody has looked after yet: offered since, or started and not written down. */
  needWatching(): boolean {
    return this.#unwatched.size > 0;
  }

  /** All held runs were looked after; those stay to be watched whose start is not written down. */
  watched(): void {
    for (const run of this.#unwatched) if (run.startedAt === null || run.written) this.#unwatched.delete(run);
  }

  /** The ids of the hosts without room for one more woken run. */
  full(): number[] {
    return [...this.#full].map((host) => host.id);
  }

  /** Whether a host could take runs of this workflow, be it busy now. */
  serves(workflow: number): boolean {
    for (const host of this.ofWorkflow(workflow)) if (host.standing === "serving") return true;
    return false;
  }

  /** The workflows that some host serves. */
  servedWorkflows(): number[] {
    const workflows = [...this.all()].flatMap(({ registration }) => registration?.workflow ?? []);
    return [...new Set(workflows)].filter((workflow) => this.serves(workflow));
  }

  /** The offers that wait for an answer, oldest first. */
  unanswered(): Iterable<HeldRun> {
    return this.#offered.values();
  }

  /** Marks that something in the host changed, so that `save` writes its attachment. */
  touch(host: Host): void {
    this.#changed.add(host);
  }

  /** Marks all hosts of a workflow: the search for its waiting runs must not be remembered as further than it is. */
  touchWorkflow(workflow: number): void {
    for (const host of this.ofWorkflow(workflow)) this.#changed.add(host);
  }

  /** Writes the attachments of the hosts that changed. Costs nothing on the bill. */
  save(search: (workflow: number) => SearchState): void {
    for (const host of this.#changed) {
      if (host.socket.readyState !== WebSocket.OPEN) continue;
      const { socket: _, held, ...rest } = host;
      try {
        host.socket.serializeAttachment({
          ...rest,
          v: 1,
          search: host.registration && search(host.registration.workflow),
          held: packHeld(held.values(), host),
        });
      } catch (error) {
        // One host that cannot be remembered must not keep the others from it.
        log("error", "attachment not written", {
          host: host.id,
          name: errorName(error),
        });
      }
    }
    this.#changed.clear();
  }

  #enlist(host: Host, workflow: number): void {
    const hosts = this.#byWorkflow.get(workflow) ?? new Set();
    hosts.add(host);
    this.#byWorkflow.set(workflow, hosts);
    this.#byLoadOf(host)?.add(host);
  }

  #delist(host: Host): void {
    if (host.registration) this.#byWorkflow.get(host.registration.workflow)?.delete(host);
    this.#byLoadOf(host)?.delete(host);
  }

  /** The hosts of its workflow that hold as many runs as this one; undefined before it is registered. */
  #byLoadOf({ registration, held }: Host): Set<Host> | undefined {
    if (!registration) return undefined;
    const loads = this.#byLoad.get(registration.workflow) ?? [];
    this.#byLoad.set(registration.workflow, loads);
    while (loads.length <= held.size) loads.push(new Set());
    return loads[held.size];
  }
}

type Origin = Pick<Host, "id" | "connectedAt">;

/**
 * Held runs as short text, about 26 characters each: `run,attempt,offered,started,flags,lostInARow;…` in base 36, the
 * run after the host's id and the times in milliseconds after it connected, with `started` empty for not started.
 */
export function packHeld(runs: Iterable<HeldRun>, { id, connectedAt }: Origin): string {
  return Array.from(runs, (h) =>
    [
      h.run - id,
      h.attempt,
      h.offeredAt - connectedAt,
      h.startedAt === null ? null : h.startedAt - connectedAt,
      (h.taken ? TAKEN : 0) | (h.written ? WRITTEN : 0),
      h.lostInARow,
    ]
      .map((part) => part?.toString(36) ?? "")
      .join(","),
  ).join(";");
}

export function unpackHeld(packed: string, { id, connectedAt }: Origin): HeldRun[] {
  if (packed === "") return [];
  return packed.split(";").map((text) => {
    const [run = 0, attempt = 0, offered = 0, started = 0, flags = 0, lostInARow = 0] = text
      .split(",")
      .map((part) => (part === "" ? Number.NaN : Number.parseInt(part, 36)));
    return {
      run: run + id,
      attempt,
      offeredAt: connectedAt + offered,
      taken: (flags & TAKEN) !== 0,
      startedAt: Number.isNaN(started) ? null : connectedAt + started,
      written: (flags & WRITTEN) !== 0,
      lostInARow,
    };
  });
}

/** Whether this many attempts lost in a row make a run one that may be killing its hosts. */
export function isSuspect({ lostInARow }: Pick<HeldRun, "lostInARow">): boolean {
  return lostInARow >= SUSPECT_AFTER_LOST;
}

/** Sends a frame, unless the socket has closed meanwhile: then the close says all there is to say. */
export function sendFrame({ socket }: Pick<Host, "socket">, frame: string): void {
  if (socket.readyState === WebSocket.OPEN) socket.send(frame);
}

/** Whether a host can be woken for one more of its sleeping runs. */
export function hasRoomToWake(host: Host): boolean {
  return host.held.size < HOST_MAX_HELD;
}
