// Side effects of the control plane, behind interfaces so that tests can use fakes. services.ts has the real ones.
import type { Archived, EnvironmentCalls, EnvironmentState } from "../../../shared/contracts/environment.ts";
import type { ListedSource, SourceRpc } from "../../../shared/contracts/webhook-source.ts";
import type { Database } from "../../../shared/db/client.ts";

/** Everything that a route may do outside its own request. */
export interface ConsoleServices {
  /** Opened at the first use: a route that needs no Postgres works without its settings. Throws a SettingError. */
  readonly db: Database;
  readonly record: ControlRecord;
  readonly organizations: OrganizationRecords;
  readonly objects: EnvironmentObjects;
  readonly sources: SourceObjects;
  readonly repairs: Repairing;
  now(): number;
  keyText(key: KeyParts): Promise<string>;
  /** Version of the deployment's secret that new keys are derived under. */
  currentSecretVersion(): Promise<number>;
  /** Continues after the answer was sent. A failure is logged by its name only. */
  afterwards(work: Promise<void>): void;
}

export interface KeyParts {
  readonly environmentId: string;
  readonly environmentSlug: string;
  readonly keyId: string;
  readonly secretVersion: number;
}

/** Postgres, as far as pushes are concerned. */
export interface ControlRecord {
  /** Null for an environment whose creation was never committed, and for one that is deleted for good. */
  readDesired(environmentId: string): Promise<DesiredState | null>;
  recordPushed(environmentId: string, revision: number): Promise<void>;
  /** Removes an organization that is marked as deleted, once every environment of it has confirmed. */
  forgetIfDeleted(organizationId: string): Promise<void>;
}

/** The state that Postgres wants an environment's object to have. */
export type DesiredState =
  | { readonly kind: "provisioned"; readonly state: EnvironmentState }
  /** The environment's organization is being deleted. */
  | { readonly kind: "deleted"; readonly organizationId: string; readonly revision: number };

/** Organizations in Postgres, with what is needed to show their keys. */
export interface OrganizationRecords {
  /** Writes the organization with its environments and keys in one transaction. Rejects with SlugTaken. */
  insert(organization: OrganizationRecord, by: CreatedBy): Promise<void>;
  /** Reads an organization without closed environments and revoked keys. Null if no organization has this slug. */
  find(slug: string): Promise<OrganizationRecord | null>;
}

export class SlugTaken extends Error {
  override readonly name = "SlugTaken";
}

export interface OrganizationRecord {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly environments: readonly EnvironmentRecord[];
}

export interface EnvironmentRecord {
  readonly id: string;
  readonly slug: string;
  /** The oldest first. */
  readonly keys: readonly { readonly id: string; readonly secretVersion: number }[];
}

export interface CreatedBy {
  /** The caller's name in the audit log. */
  readonly actor: string;
  /** The person who becomes the owner; null if the operator creates it. */
  readonly owner: string | null;
}

/** The objects of environments. Every call may be repeated; each rejects if the object cannot be reached. */
export interface EnvironmentObjects {
  /** Pushes a state, also to the organization's webhook sources. */
  provision(state: EnvironmentState): Promise<{ revision: number }>;
  deprovision(environmentId: string, organizationId: string): Promise<void>;
  /** Copies ended runs and events to Postgres now. */
  archive(environmentId: string): Promise<Archived>;
  /** Time of each key's last use, in Unix milliseconds. */
  keyUses(environmentId: string): Promise<Readonly<{ [keyId: string]: number }>>;
  /** Opens a WebSocket that announces every change in the environment. */
  watch(environmentId: string): Promise<Response>;
  /** Makes a call for a member whose rights were checked. */
  call<T>(environmentId: string, work: (environment: EnvironmentCalls) => Promise<T>): Promise<T>;
}

/** The objects of webhook sources. Every call may be repeated, and is refused if the object cannot be reached. */
export interface SourceObjects {
  /** The id in the source's URL. */
  idOf(organizationId: string, service: string): Promise<string>;
  /** The name of the object behind an id; null for an id that this deployment did not make. */
  nameOf(id: string): Promise<string | null>;
  list(organizationId: string, page: { limit: number; cursor: string | null }): Promise<readonly ListedSource[]>;
  call<T>(name: string, work: (source: SourceRpc) => Promise<T>): Promise<T>;
}

/** The object Repairs. */
export interface Repairing {
  /** Takes a ticket: once it resolves, these environments will be repaired unless the ticket is settled. */
  expect(environmentIds: readonly string[]): Promise<string>;
  settle(ticket: string): Promise<void>;
}
