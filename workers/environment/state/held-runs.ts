// The runs that hosts hold, and the only writer of a held run's fields. Each verb marks the run's host as changed.
import { type HeldRun, type Host, hasRoomToWake } from "./host.ts";

interface OwnHeldRun extends HeldRun {
  taken: boolean;
  startedAt: number | null;
  written: boolean;
  lostInARow: number;
}

/** A host as this class writes it. */
export interface HoldingHost extends Host {
  readonly held: Map<number, OwnHeldRun>;
}

export interface HoldingHosts {
  /** The writable form of a host; undefined for a host that was removed. */
  own(host: Host): HoldingHost | undefined;
  /** Carries out a change of the runs that the host holds. */
  changeLoad(host: HoldingHost, change: () => void): void;
  /** Something in the host has changed that its attachment must remember. */
  changed(host: HoldingHost): void;
}

export class HeldRuns {
  readonly #hosts: HoldingHosts;
  readonly #holders = new Map<number, HoldingHost>();
  /** Offers without an answer, oldest first. */
  readonly #offered = new Map<number, OwnHeldRun>();
  /** Hosts without room for one more woken run. */
  readonly #full = new Set<HoldingHost>();
  readonly #unwatched = new Set<OwnHeldRun>();

  constructor(hosts: HoldingHosts) {
    this.#hosts = hosts;
  }

  hold(host: Host, run: HeldRun): void {
    const own = this.#hosts.own(host);
    if (!own) return;
    const held: OwnHeldRun = { ...run };
    this.#hosts.changeLoad(own, () => own.held.set(held.run, held));
    this.#holders.set(held.run, own);
    if (!held.taken) this.#offered.set(held.run, held);
    this.#unwatched.add(held);
    if (!hasRoomToWake(own)) this.#full.add(own);
    this.#hosts.changed(own);
  }

  release(run: number): void {
    const host = this.#holders.get(run);
    if (!host) return;
    const held = host.held.get(run);
    if (held) this.#unwatched.delete(held);
    this.#hosts.changeLoad(host, () => host.held.delete(run));
    this.#full.delete(host);
    this.#holders.delete(run);
    this.#offered.delete(run);
    this.#hosts.changed(host);
  }

  /** Takes all runs from a host. Returns them, oldest first. */
  releaseAll(host: Host): HeldRun[] {
    const lost = [...host.held.values()].sort((a, b) => a.run - b.run);
    for (const { run } of lost) this.release(run);
    return lost;
  }

  /** The host answered the offer of the run. */
  noteTaken(run: number): void {
    this.#change(run, (held) => {
      held.taken = true;
    });
    this.#offered.delete(run);
  }

  /** The host started the run, and so took it. */
  noteStart(run: number, now: number): void {
    this.#change(run, (held) => {
      held.startedAt = now;
    });
    this.noteTaken(run);
  }

  /** The start of the run is stored in its row. */
  noteWritten(run: number): void {
    this.#change(run, (held) => {
      held.written = true;
    });
  }

  /** A step of the run has a new result, so losses count from one again. */
  noteProgress(run: number): void {
    this.#change(run, (held) => {
      held.lostInARow = 0;
    });
  }

  /** The host that holds the run. */
  holder(run: number): Host | undefined {
    return this.#holders.get(run);
  }

  find(run: number): HeldRun | undefined {
    return this.#holders.get(run)?.held.get(run);
  }

  /** The offers without an answer, oldest first. */
  unanswered(): Iterable<HeldRun> {
    return this.#offered.values();
  }

  /** The ids of the hosts without room for one more woken run. */
  fullHosts(): number[] {
    return [...this.#full].map(({ id }) => id);
  }

  /** True while a held run was not looked after yet: it was offered since, or its start is not written down. */
  needWatching(): boolean {
    return this.#unwatched.size > 0;
  }

  /** All held runs were looked after. Started runs without a written start still need watching. */
  watched(): void {
    for (const run of this.#unwatched) if (run.startedAt === null || run.written) this.#unwatched.delete(run);
  }

  #change(run: number, change: (held: OwnHeldRun) => void): void {
    const host = this.#holders.get(run);
    const held = host?.held.get(run);
    if (!host || !held) return;
    change(held);
    this.#hosts.changed(host);
  }
}
