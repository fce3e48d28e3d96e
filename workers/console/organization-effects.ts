// What making and showing an organization does to the world, behind an interface: tests put a record of it in its place.
import { createDatabase } from "../../shared/db/client.ts";
import type { EnvironmentState } from "../../shared/environment-rpc.ts";
import { deriveApiKey } from "../../shared/keys.ts";
import { log } from "../../shared/log.ts";
import { type Env, keySecrets, parseDatabaseSettings } from "../env.ts";
import { findOrganization, insertOrganization, type OrganizationRecord, type Stored } from "./organization-records.ts";

/** All queries of one request together; past it Postgres counts as away. A sleeping Neon database wakes within a second. */
const DATABASE_ANSWERS_WITHIN_MS = 10_000;

export interface KeyOfEnvironment {
  readonly environmentId: string;
  readonly environmentSlug: string;
  readonly keyId: string;
  readonly secretVersion: number;
}

export interface OrganizationEffects {
  /** Writes all of it, or nothing. */
  insert(organization: OrganizationRecord): Promise<Stored<"inserted" | "slug taken">>;
  find(slug: string): Promise<Stored<OrganizationRecord | null>>;
  /** Pushes a state to its environment's object. Rejects when the object could not be reached. */
  provision(state: EnvironmentState): Promise<void>;
  keyText(key: KeyOfEnvironment): Promise<string>;
  /** The version of the deployment's secret that new keys are derived under. */
  currentSecretVersion(): Promise<number>;
}

/** The real effects of one request. Throws a SettingError when a setting they need is missing. */
export function organizationEffects(env: Env): OrganizationEffects {
  const db = createDatabase(parseDatabaseSettings(env), AbortSignal.timeout(DATABASE_ANSWERS_WITHIN_MS));
  return {
    insert: (organization) => insertOrganization(db, organization),
    find: (slug) => findOrganization(db, slug),
    provision: (state) =>
      provision(env, state).catch((error: unknown) => {
        const name = error instanceof Error ? error.name : "unknown";
        log("error", "environment not provisioned", { environment: state.environment.id, name });
        throw error;
      }),
    async keyText({ secretVersion, ...key }) {
      const secrets = await keySecrets(env);
      // A version that was taken out of the secrets verifies no more: the key is then shown as it is now.
      return deriveApiKey(secrets, secrets.byVersion.has(secretVersion) ? { ...key, secretVersion } : key);
    },
    currentSecretVersion: async () => (await keySecrets(env)).current,
  };
}

/** Tried once more on a fresh stub when the platform says that it may be: a push may be repeated. */
async function provision(env: Env, state: EnvironmentState): Promise<void> {
  const push = () => env.ENVIRONMENT.getByName(state.environment.id).provision(state);
  try {
    await push();
  } catch (error) {
    if (!mayBeRepeated(error)) throw error;
    await push();
  }
}

/** https://developers.cloudflare.com/durable-objects/best-practices/error-handling/ */
function mayBeRepeated(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return "retryable" in error && error.retryable === true && !("overloaded" in error && error.overloaded === true);
}
