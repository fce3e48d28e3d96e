// POST /api/v1/organizations: an organization with its two environments and a key for each. Postgres first, in one
// transaction, then the objects. When a push fails in between, reading the organization (or a retry of it) completes it.

import type { PostedOrganization } from "../../../shared/api/setup.ts";
import { newEnvironmentId, newKeyId, newOrganizationId } from "../../../shared/ids/ids.ts";
import type { OrganizationEffects } from "./organization-effects.ts";
import type { EnvironmentRecord } from "./organization-records.ts";
import { type OrganizationOutcome, provisionAndAnswer } from "./organizations.ts";

const ENVIRONMENT_SLUGS = ["live", "development"] as const;

export async function createOrganization(
  effects: OrganizationEffects,
  posted: PostedOrganization,
): Promise<OrganizationOutcome> {
  const secretVersion = await effects.currentSecretVersion();
  const organization = {
    id: newOrganizationId(),
    ...posted,
    environments: ENVIRONMENT_SLUGS.map((slug) => newEnvironment(slug, secretVersion)),
  };
  const inserted = await effects.insert(organization);
  if (!inserted.ok) return { outcome: "database fault", fault: inserted.failed };
  if (inserted.value === "slug taken") return { outcome: "slug taken" };
  return provisionAndAnswer(effects, organization, "created");
}

/** At its first revision, with one key that may do everything and has no end. */
function newEnvironment(slug: string, secretVersion: number): EnvironmentRecord {
  const key = { id: newKeyId(), secretVersion, scopes: [], expiresAt: null };
  return { id: newEnvironmentId(), slug, revision: 1, keys: [key] };
}
