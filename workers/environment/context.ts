// What the modules of an environment work on. The object builds one of these; nothing else holds state.
import type { Commits } from "./commits.ts";
import type { RunQueue } from "./dispatch.ts";
import type { Hosts } from "./hosts.ts";
import type { Workflows } from "./workflows.ts";

export interface Identity {
  readonly organizationId: string;
  readonly organizationSlug: string;
  readonly environmentId: string;
  readonly environmentSlug: string;
}

export interface EnvironmentContext {
  readonly sql: SqlStorage;
  readonly identity: Identity;
  readonly commits: Commits;
  readonly hosts: Hosts;
  readonly workflows: Workflows;
  readonly queue: RunQueue;
  /** The next number for an event, a run or a log; numbers sort by time. */
  readonly nextNumber: () => number;
  /** The text of a key that a host connected with, for `ctx.apiKey`. */
  readonly keyText: (keyId: string) => string;
}
