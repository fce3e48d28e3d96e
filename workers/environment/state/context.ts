// What the modules of an environment work on. The object builds one of these; nothing else holds state.

import type { WebhookTrigger } from "../../../shared/contracts/webhook-source.ts";
import type { Attempted, OutgoingRequest } from "../../../shared/wire/reference/fetch.ts";
import type { Clock, Random, Timers } from "../../platform/time.ts";
import type { HistoryClock, Retention } from "../storage/history-cursor.ts";
import type { StepRow } from "../storage/rows.ts";
import type { Commits } from "./commits.ts";
import type { Hosts } from "./hosts.ts";
import type { OpenRunIndex } from "./open-run-index.ts";
import type { RunQueue } from "./run-queue.ts";
import type { RunWaiters } from "./run-waiters.ts";
import type { Workflows } from "./workflows.ts";

export interface Identity {
  readonly organizationId: string;
  readonly organizationSlug: string;
  readonly environmentId: string;
  readonly environmentSlug: string;
  readonly retention: Retention;
}

export interface EnvironmentContext {
  readonly sql: SqlStorage;
  readonly identity: Identity;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly commits: Commits;
  readonly hosts: Hosts;
  readonly workflows: Workflows;
  readonly queue: RunQueue;
  readonly openRunIndex: OpenRunIndex;
  readonly runWaiters: RunWaiters;
  /** The next number for an event, a run or a log; numbers sort by time. */
  readonly nextNumber: () => number;
  /** The text of a key that a host connected with, for `ctx.apiKey`. */
  readonly keyText: (keyId: string) => string;
  /** The stateless entrypoint that calls the user's targets. */
  readonly outgoing: { attempt(request: OutgoingRequest): Promise<Attempted> };
  /** Makes the next call of a fetch, in the background. */
  readonly perform: (step: StepRow) => void;
  /** Tells the source of a service that a workflow listens to it, in the background. */
  readonly announce: (trigger: WebhookTrigger) => void;
  /** When history is to be looked after, and doing so, in the background. */
  readonly history: HistoryClock;
  readonly archive: () => void;
  /** Tells the schedule book when something is due next, in the background. */
  readonly wake: () => void;
  readonly seal: (text: string) => Promise<Uint8Array>;
  readonly unseal: (sealed: Uint8Array<ArrayBuffer>) => Promise<string | null>;
}
