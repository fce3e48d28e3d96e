// The registered hosts of each workflow, and which of them gets the next run.
import { HOST_MAX_RUNNING } from "../../../shared/kernel/limits.ts";
import { type Host, isSuspect } from "./host.ts";

export class HostsByWorkflow {
  readonly #hosts = new Map<number, Set<Host>>();
  /** The same hosts by the number of runs they hold, so that the least busy of thousands is found at once. */
  readonly #byLoad = new Map<number, Set<Host>[]>();

  add(host: Host): void {
    if (!host.registration) return;
    const { workflow } = host.registration;
    this.#hosts.set(workflow, (this.#hosts.get(workflow) ?? new Set()).add(host));
    this.#loadOf(host)?.add(host);
  }

  remove(host: Host): void {
    if (!host.registration) return;
    this.#hosts.get(host.registration.workflow)?.delete(host);
    this.#loadOf(host)?.delete(host);
  }

  /** Carries out a change of the number of runs that the host holds. */
  whileChangingLoad(host: Host, change: () => void): void {
    this.#loadOf(host)?.delete(host);
    change();
    this.#loadOf(host)?.add(host);
  }

  /** The registered hosts of a workflow, of every standing. */
  of(workflow: number): ReadonlySet<Host> {
    return this.#hosts.get(workflow) ?? new Set();
  }

  /**
   * The serving host with the fewest runs that has room for one more; undefined without one. A suspect goes only to a
   * host without another suspect.
   */
  leastBusy(workflow: number, suspect: boolean): Host | undefined {
    for (const hosts of (this.#byLoad.get(workflow) ?? []).slice(0, HOST_MAX_RUNNING)) {
      for (const host of hosts) {
        if (host.standing !== "serving") continue;
        if (suspect && [...host.held.values()].some(isSuspect)) continue;
        return host;
      }
    }
    return undefined;
  }

  /** The hosts of its workflow that hold as many runs as this one; undefined before it is registered. */
  #loadOf({ registration, held }: Host): Set<Host> | undefined {
    if (!registration) return undefined;
    const loads = this.#byLoad.get(registration.workflow) ?? [];
    this.#byLoad.set(registration.workflow, loads);
    while (loads.length <= held.size) loads.push(new Set());
    return loads[held.size];
  }
}
