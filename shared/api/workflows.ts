// A registered workflow as the API shows it.
import type { RunStatus } from "./runs.ts";

export interface HostDetails {
  readonly connectedAt: string;
  readonly keyId: string;
  /** Runs this host holds now. */
  readonly running: number;
  /** Parts in which its definition differs from the one in force; empty for a current host. */
  readonly differs: readonly string[];
  readonly standing: "serving" | "silent" | "superseded";
  readonly refusedFrames: number;
}

export interface WorkflowDetails {
  readonly slug: string;
  readonly name: string;
  /** Null for a workflow that only ever was refused. */
  readonly version: number | null;
  readonly trigger: unknown;
  readonly triggerTTL: number | null;
  readonly package: unknown;
  readonly registeredAt: string | null;
  readonly changedAt: string | null;
  readonly paused: boolean;
  readonly hosts: readonly HostDetails[];
  /** Absent when none of the environment's newest runs is of this workflow. */
  readonly lastRun?: { readonly id: string; readonly status: RunStatus; readonly createdAt: string };
  /** The last registration, if it was refused: the reference client says nothing of it. */
  readonly refused?: { readonly message: string; readonly at: string; readonly keyId: string };
}

export interface WorkflowsQuery {
  readonly limit: number;
  /** The last slug of the page before. */
  readonly cursor: string | null;
}

export interface WorkflowsPage {
  readonly data: readonly WorkflowDetails[];
  readonly next: string | null;
}
