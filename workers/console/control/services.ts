// What the routes of the management API do to the world, behind an interface, for one request.

import {
  type Archived,
  type EnvironmentCalls,
  type EnvironmentState,
  WATCH_PATH,
} from "../../../shared/contracts/environment.ts";
import type { ListedSource, SourceRpc } from "../../../shared/contracts/webhook-source.ts";
import { createDatabase, type Database } from "../../../shared/db/client.ts";
import { deriveApiKey } from "../../../shared/ids/keys.ts";
import { sourceId, verifySourceId } from "../../../shared/ids/source-ids.ts";
import { now } from "../../../shared/kernel/clock.ts";
import { errorName, log } from "../../../shared/kernel/log.ts";
import { type Env, keySecrets, parseDatabaseSettings } from "../../env.ts";
import { readHistory } from "../../reading/archive-binding.ts";
import { environmentAway, sourceAway, unavailable } from "../refusals.ts";
import type { Repairing } from "./apply-change.ts";
import { forgetIfDeleted } from "./delete-organization.ts";
import { type Desired, readDesired, recordPushed } from "./desired-state.ts";

/** All queries of one request together; past it Postgres counts as away. A sleeping Neon database wakes within a second. */
export const DATABASE_ANSWERS_WITHIN_MS = 10_000;
const FORGETTING_CALLS = 20;

export interface KeyParts {
  readonly environmentId: string;
  readonly environmentSlug: string;
  readonly keyId: string;
  readonly secretVersion: number;
}

/** The objects of environments. Every call may be repeated; each rejects when the object cannot be reached. */
export interface EnvironmentObjects {
  /** Tells also the organization's webhook sources. */
  provision(state: EnvironmentState): Promise<{ revision: number }>;
  deprovision(environmentId: string, organizationId: string): Promise<void>;
  /** Hands to Postgres what has ended, now. */
  archive(environmentId: string): Promise<Archived>;
  /** When each key was last used, in Unix milliseconds. */
  keyUses(environmentId: string): Promise<Readonly<{ [keyId: string]: number }>>;
  /** A WebSocket that says when something has changed there. */
  watch(environmentId: string): Promise<Response>;
  /** A call for a member, whose rights were checked. */
  calling<T>(environmentId: string, work: (environment: EnvironmentCalls) => Promise<T>): Promise<T>;
}

/** The objects of webhook sources. Each call may be repeated, and is refused when the object cannot be reached. */
export interface SourceObjects {
  /** The id as it stands in the source's URL. */
  idOf(organizationId: string, service: string): Promise<string>;
  /** The name of the object behind an id; null for an id that this deployment did not make. */
  nameOf(id: string): Promise<string | null>;
  list(organizationId: string, page: { limit: number; cursor: string | null }): Promise<readonly ListedSource[]>;
  calling<T>(name: string, work: (source: SourceRpc) => Promise<T>): Promise<T>;
}

/** Postgres, as far as pushes are concerned. */
export interface Record {
  desired(environmentId: string): Promise<Desired | null>;
  pushed(environmentId: string, revision: number): Promise<void>;
  /** Removes an organization that is being deleted, once all its environments have confirmed. */
  forgetIfDeleted(organizationId: string): Promise<void>;
}

export interface World {
  /** Made when it is first asked for: what needs no Postgres works without its settings. Throws a SettingError. */
  readonly db: Database;
  readonly record: Record;
  readonly objects: EnvironmentObjects;
  readonly sources: SourceObjects;
  readonly repairs: Repairing;
  now(): number;
  keyText(key: KeyParts): Promise<string>;
  /** The version of the deployment's secret that new keys are derived under. */
  currentSecretVersion(): Promise<number>;
  /** Goes on after the answer; what fails is logged, by name only. */
  afterwards(work: Promise<void>): void;
}

export function makeWorld(env: Env, waitUntil: (work: Promise<void>) => void): World {
  let db: Database | null = null;
  const database = () => {
    db ??= createDatabase(parseDatabaseSettings(env), AbortSignal.timeout(DATABASE_ANSWERS_WITHIN_MS));
    return db;
  };
  return {
    get db() {
      return database();
    },
    record: {
      desired: (environmentId) => readDesired(database(), environmentId),
      pushed: (environmentId, revision) => recordPushed(database(), environmentId, revision),
      forgetIfDeleted: (organizationId) => forgetIfDeleted(database(), organizationId, forgetHistory),
    },
    objects: environmentObjects(env),
    sources: sourceObjects(env),
    repairs: {
      expect: (environmentIds) =>
        twice(() => repairsOf(env).expect(environmentIds)).catch((error) => {
          log("error", "repairs not reached", { name: errorName(error) });
          throw unavailable();
        }),
      settle: (ticket) => repairsOf(env).settle(ticket),
    },
    now,
    async keyText({ secretVersion, ...key }) {
      const secrets = await keySecrets(env);
      // A version that was taken out of the secrets verifies no more: the key is then shown as it is now.
      return deriveApiKey(secrets, secrets.byVersion.has(secretVersion) ? { ...key, secretVersion } : key);
    },
    currentSecretVersion: async () => (await keySecrets(env)).current,
    afterwards(work) {
      waitUntil(work.catch((error: unknown) => log("warn", "work after an answer failed", { name: errorName(error) })));
    },
  };
}

/** A long history takes several calls. Throws when it is not all gone after some: Repairs asks again. */
async function forgetHistory(environmentId: string): Promise<void> {
  for (let call = 0; call < FORGETTING_CALLS; call++) {
    if (await readHistory((archive) => archive.forget({ environmentId, before: null, now: now() }))) return;
  }
  throw new Error("there is more history to forget");
}

function environmentObjects(env: Env): EnvironmentObjects {
  const object = (environmentId: string) => env.ENVIRONMENT.getByName(environmentId);
  const orAway = (error: unknown) => {
    log("error", "environment call failed", { name: errorName(error) });
    throw environmentAway();
  };
  return {
    async provision(state) {
      const { organization, environment, revision, receives } = state;
      const answer = await twice(() => object(environment.id).provision(state));
      const receivesWebhooks = receives?.webhooks ?? true;
      const place = { organizationId: organization.id, environment, revision, receivesWebhooks };
      await twice(() => env.SOURCE_BOOK.getByName(organization.id).place(place));
      return answer;
    },
    async deprovision(environmentId, organizationId) {
      await twice(() => object(environmentId).deprovision());
      await twice(() => env.SOURCE_BOOK.getByName(organizationId).displace(environmentId));
    },
    archive: (environmentId) => object(environmentId).archive().catch(orAway),
    keyUses: (environmentId) => twice(() => object(environmentId).keyUses()).catch(orAway),
    watch: (environmentId) =>
      object(environmentId)
        .fetch(`https://environment${WATCH_PATH}`, { headers: { upgrade: "websocket" } })
        .catch(orAway),
    calling: (environmentId, work) => twice(() => work(object(environmentId))).catch(orAway),
  };
}

function sourceObjects(env: Env): SourceObjects {
  const orAway = (error: unknown) => {
    log("error", "source call failed", { name: errorName(error) });
    throw sourceAway();
  };
  return {
    idOf: async (organizationId, service) => sourceId(await keySecrets(env), organizationId, service),
    nameOf: async (id) => verifySourceId(await keySecrets(env), id),
    list: (organizationId, page) => twice(() => env.SOURCE_BOOK.getByName(organizationId).list(page)).catch(orAway),
    calling: (name, work) => twice(() => work(env.WEBHOOK_SOURCE.getByName(name))).catch(orAway),
  };
}

/** One object for the whole deployment: it has work only after something failed. */
function repairsOf(env: Env) {
  return env.REPAIRS.getByName("repairs");
}

/** Tried once more on a fresh stub when the platform says that it may be. */
async function twice<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!mayBeRepeated(error)) throw error;
    return call();
  }
}

/** https://developers.cloudflare.com/durable-objects/best-practices/error-handling/ */
function mayBeRepeated(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return "retryable" in error && error.retryable === true && !("overloaded" in error && error.overloaded === true);
}
