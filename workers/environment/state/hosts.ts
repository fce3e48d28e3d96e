// The registry of an environment's hosts, and the only writer of a host's fields.
//
// A socket's attachment, and not a row, remembers the runs that its host holds: the attachment survives hibernation, it
// ends with the socket, and a dispatch costs no write. Each verb marks its host as changed. The object calls `save` at the
// end of every commit, and of every frame that waits for none. A run that waits for an answer of the router is asleep: its
// step's row names the host, and the run counts for nothing here.
import { errorName, log } from "../../../shared/kernel/log.ts";
import { packHost, type SearchState, unpackHost } from "./attachment.ts";
import { HeldRuns, type HoldingHost } from "./held-runs.ts";
import { type HeldRun, type Host, type HostRegistration, type HostSocket, type HostStanding, NO_HOST } from "./host.ts";
import type { HostWire } from "./host-wire.ts";
import { HostsByWorkflow } from "./hosts-by-workflow.ts";

interface OwnHost extends HoldingHost {
  id: number;
  registration: HostRegistration | null;
  standing: HostStanding;
  heardAt: number;
  probedAt: number | null;
  refusedFrames: number;
}

export class Hosts {
  /** The runs that the hosts hold. */
  readonly held: HeldRuns;
  readonly #wire: HostWire;
  readonly #searchOf: (workflow: number) => SearchState;
  readonly #bySocket = new Map<HostSocket, OwnHost>();
  readonly #byId = new Map<number, OwnHost>();
  readonly #byWorkflow = new HostsByWorkflow();
  /** Hosts whose attachments are out of date. */
  readonly #changed = new Set<Host>();

  /** `wire` is the protocol of all hosts. `searchOf` answers the search state of a workflow, which the attachments of its hosts remember. */
  constructor(wire: HostWire, searchOf: (workflow: number) => SearchState) {
    this.#wire = wire;
    this.#searchOf = searchOf;
    this.held = new HeldRuns({
      own: (host) => this.#bySocket.get(host.socket),
      changeLoad: (host, change) => this.#byWorkflow.whileChangingLoad(host, change),
      changed: (host) => this.#changed.add(host),
    });
  }

  // ---- Connections ----

  /** Takes up the sockets that survived a hibernation. Closes a socket whose attachment cannot be read. */
  restore(sockets: readonly HostSocket[], resume: (workflow: number, search: SearchState) => void): void {
    for (const socket of sockets) {
      const remembered = unpackHost(socket.deserializeAttachment());
      if (!remembered) {
        socket.close(1011, "the connection's state could not be read");
        continue;
      }
      const host: OwnHost = { ...remembered.host, socket, wire: this.#wire, held: new Map() };
      this.#bySocket.set(socket, host);
      if (host.id !== NO_HOST) this.#byId.set(host.id, host);
      this.#byWorkflow.add(host);
      if (host.registration && remembered.search) resume(host.registration.workflow, remembered.search);
      for (const run of remembered.held) this.held.hold(host, run);
    }
    this.#changed.clear();
  }

  add(socket: HostSocket, details: Pick<Host, "id" | "keyId" | "secretVersion" | "origin" | "connectedAt">): Host {
    const host: OwnHost = {
      ...details,
      socket,
      wire: this.#wire,
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

  register(host: Host, registration: HostRegistration): void {
    const own = this.#edit(host);
    if (!own) return;
    this.#byWorkflow.remove(own);
    own.registration = registration;
    this.#byWorkflow.add(own);
  }

  /** The definition in force has changed in these parts, and the host's has not. */
  noteDifferences(host: Host, parts: readonly string[]): void {
    const own = this.#edit(host);
    if (!own?.registration) return;
    const differs = [...new Set([...own.registration.differs, ...parts])].sort();
    own.registration = { ...own.registration, differs };
  }

  /** Forgets the host's socket. Returns the runs that the host held, oldest first. */
  remove(host: Host): HeldRun[] {
    const own = this.#edit(host);
    if (!own) return [];
    const lost = this.#takeRuns(own);
    this.#bySocket.delete(own.socket);
    this.#byWorkflow.remove(own);
    this.#changed.delete(own);
    return lost;
  }

  // ---- Standing ----

  /**
   * The host sent a frame. A silent host serves again; if it was given up, it is a new host from here on. The time alone
   * does not mark the host as changed: an older one only makes the next probe come earlier after a hibernation.
   */
  recordHeartbeat(host: Host, now: number, newId: () => number): void {
    const own = this.#bySocket.get(host.socket);
    if (!own) return;
    own.heardAt = now;
    if (own.probedAt === null && own.standing !== "silent") return;
    own.probedAt = null;
    if (own.standing === "silent") {
      own.standing = "serving";
      if (own.id === NO_HOST) own.id = newId();
      this.#byId.set(own.id, own);
    }
    this.#changed.add(own);
  }

  /** The host was sent a probe. */
  noteProbe(host: Host, now: number): void {
    const own = this.#edit(host);
    if (own) own.probedAt = now;
  }

  /** The host did not answer in time: it gets no runs until its next frame, and keeps those that it holds. */
  silence(host: Host): void {
    const own = this.#edit(host);
    if (own?.standing === "serving") own.standing = "silent";
  }

  /** Silences the host and takes its runs. Returns them, oldest first. */
  giveUp(host: Host): HeldRun[] {
    this.silence(host);
    const own = this.#edit(host);
    if (!own) return [];
    own.probedAt = null;
    return this.#takeRuns(own);
  }

  /** The host's process has registered over a newer socket. Returns the runs that the host held, oldest first. */
  supersede(host: Host): HeldRun[] {
    const own = this.#edit(host);
    if (!own) return [];
    own.standing = "superseded";
    return this.#takeRuns(own);
  }

  /** A frame of the host was answered `false` or ignored because of its form. */
  countRefused(host: Host): void {
    const own = this.#edit(host);
    if (own) own.refusedFrames += 1;
  }

  // ---- Questions ----

  of(socket: HostSocket): Host | undefined {
    return this.#bySocket.get(socket);
  }

  /** The connected host with this id. Undefined for a host that was given up or superseded. */
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

  /** The registered hosts of a workflow, of every standing. */
  ofWorkflow(workflow: number): ReadonlySet<Host> {
    return this.#byWorkflow.of(workflow);
  }

  /** The host that gets the next run of a workflow; undefined while no serving host has room (hosts-by-workflow.ts). */
  leastBusy(workflow: number, suspect = false): Host | undefined {
    return this.#byWorkflow.leastBusy(workflow, suspect);
  }

  /** True if some host serves this workflow, busy or not. */
  serves(workflow: number): boolean {
    for (const host of this.ofWorkflow(workflow)) if (host.standing === "serving") return true;
    return false;
  }

  /** The workflows that some host serves. */
  servedWorkflows(): number[] {
    const workflows = [...this.all()].flatMap(({ registration }) => registration?.workflow ?? []);
    return [...new Set(workflows)].filter((workflow) => this.serves(workflow));
  }

  // ---- Saving ----

  /** The search of a workflow has fallen back: no attachment of its hosts may remember it as further than it is. */
  noteSearch(workflow: number): void {
    for (const host of this.ofWorkflow(workflow)) this.#changed.add(host);
  }

  /** Writes the attachments of the hosts that have changed. Attachments are not billed. */
  save(): void {
    for (const host of this.#changed) {
      const { socket, registration } = host;
      if (socket.readyState !== WebSocket.OPEN) continue;
      try {
        socket.serializeAttachment(packHost(host, registration && this.#searchOf(registration.workflow)));
      } catch (error) {
        // An attachment that cannot be written must not keep the others from it.
        log("error", "attachment not written", { host: host.id, name: errorName(error) });
      }
    }
    this.#changed.clear();
  }

  // ---- Inside ----

  /** The writable form of a host, which is marked as changed. Undefined for a host that was removed. */
  #edit(host: Host): OwnHost | undefined {
    const own = this.#bySocket.get(host.socket);
    if (own) this.#changed.add(own);
    return own;
  }

  /** Takes all runs from a host, and its id: from here on, its frames about those runs change nothing. */
  #takeRuns(host: OwnHost): HeldRun[] {
    const lost = this.held.releaseAll(host);
    this.#byId.delete(host.id);
    host.id = NO_HOST;
    return lost;
  }
}
