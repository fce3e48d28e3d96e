// The real services of one request; see ports.ts.
import { WATCH_PATH } from "../../../shared/contracts/environment.ts";
import { createDatabase, type Database } from "../../../shared/db/client.ts";
import { deriveApiKey } from "../../../shared/ids/keys.ts";
import { sourceId, verifySourceId } from "../../../shared/ids/source-ids.ts";
import { now } from "../../../shared/kernel/clock.ts";
import { errorName, log } from "../../../shared/kernel/log.ts";
import { type Env, keySecrets, parseDatabaseSettings } from "../../env.ts";
import { callWithRetry } from "../../platform/call-object.ts";
import { readHistory } from "../../reading/archive-binding.ts";
import { environmentAway, sourceAway, unavailable } from "../refusals.ts";
import { forgetIfDeleted } from "./delete-organization.ts";
import { readDesired, recordPushed } from "./desired-state.ts";
import { findOrganization, insertOrganization } from "./organization-records.ts";
import type { ConsoleServices, EnvironmentObjects, Repairing, SourceObjects } from "./ports.ts";

/** Limit for all queries of one request together. A sleeping Neon database wakes within a second. */
const DATABASE_ANSWERS_WITHIN_MS = 10_000;
const FORGETTING_CALLS = 20;

export function makeConsoleServices(env: Env, waitUntil: (work: Promise<void>) => void): ConsoleServices {
  let opened: Database | null = null;
  const db = () => {
    opened ??= createDatabase(parseDatabaseSettings(env), AbortSignal.timeout(DATABASE_ANSWERS_WITHIN_MS));
    return opened;
  };
  return {
    get db() {
      return db();
    },
    record: {
      readDesired: (environmentId) => readDesired(db(), environmentId),
      recordPushed: (environmentId, revision) => recordPushed(db(), environmentId, revision),
      forgetIfDeleted: (organizationId) => forgetIfDeleted(db(), organizationId, forgetHistory),
    },
    organizations: {
      insert: (organization, by) => insertOrganization(db(), organization, by),
      find: (slug) => findOrganization(db(), slug),
    },
    objects: environmentObjects(env),
    sources: sourceObjects(env),
    repairs: repairing(env),
    now,
    async keyText({ secretVersion, ...key }) {
      const secrets = await keySecrets(env);
      // A key of a version that was removed from the secrets no longer verifies. Its text is derived under the current one.
      return deriveApiKey(secrets, secrets.byVersion.has(secretVersion) ? { ...key, secretVersion } : key);
    },
    currentSecretVersion: async () => (await keySecrets(env)).current,
    afterwards(work) {
      waitUntil(work.catch((error: unknown) => log("warn", "work after an answer failed", { name: errorName(error) })));
    },
  };
}

/** A long history takes several calls. Throws if some of it is left after the last one: Repairs tries again. */
async function forgetHistory(environmentId: string): Promise<void> {
  for (let call = 0; call < FORGETTING_CALLS; call++) {
    if (await readHistory((archive) => archive.forget({ environmentId, before: null, now: now() }))) return;
  }
  throw new Error("there is more history to forget");
}

function environmentObjects(env: Env): EnvironmentObjects {
  const object = (environmentId: string) => env.ENVIRONMENT.getByName(environmentId);
  const book = (organizationId: string) => env.SOURCE_BOOK.getByName(organizationId);
  const orAway = (error: unknown) => {
    log("error", "environment call failed", { name: errorName(error) });
    throw environmentAway();
  };
  return {
    async provision(state) {
      const { organization, environment, revision, receives } = state;
      const answer = await callWithRetry(() => object(environment.id).provision(state));
      const receivesWebhooks = receives?.webhooks ?? true;
      const place = { organizationId: organization.id, environment, revision, receivesWebhooks };
      await callWithRetry(() => book(organization.id).place(place));
      return answer;
    },
    async deprovision(environmentId, organizationId) {
      await callWithRetry(() => object(environmentId).deprovision());
      await callWithRetry(() => book(organizationId).displace(environmentId));
    },
    archive: (environmentId) => object(environmentId).archive().catch(orAway),
    keyUses: (environmentId) => callWithRetry(() => object(environmentId).keyUses()).catch(orAway),
    watch: (environmentId) =>
      object(environmentId)
        .fetch(`https://environment${WATCH_PATH}`, { headers: { upgrade: "websocket" } })
        .catch(orAway),
    call: (environmentId, work) => callWithRetry(() => work(object(environmentId))).catch(orAway),
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
    list: (organizationId, page) =>
      callWithRetry(() => env.SOURCE_BOOK.getByName(organizationId).list(page)).catch(orAway),
    call: (name, work) => callWithRetry(() => work(env.WEBHOOK_SOURCE.getByName(name))).catch(orAway),
  };
}

function repairing(env: Env): Repairing {
  /** One object for the whole deployment: it has work only after a failure. */
  const repairs = () => env.REPAIRS.getByName("repairs");
  return {
    expect: (environmentIds) =>
      callWithRetry(() => repairs().expect(environmentIds)).catch((error) => {
        log("error", "repairs not reached", { name: errorName(error) });
        throw unavailable();
      }),
    settle: (ticket) => repairs().settle(ticket),
  };
}
