// POST /api/v1/organizations: creates an organization with its two environments and a key for each.
import type { OrganizationAnswer, PostedOrganization } from "../../../shared/api/setup.ts";
import { newEnvironmentId, newKeyId, newOrganizationId } from "../../../shared/ids/ids.ts";
import { fail, ok, type Result } from "../../../shared/kernel/result.ts";
import { answerWithKeys } from "./answer-with-keys.ts";
import { applyChange, type ChangeServices, type NotInForce } from "./apply-change.ts";
import { type ConsoleServices, type CreatedBy, type EnvironmentRecord, SlugTaken } from "./ports.ts";

const ENVIRONMENT_SLUGS = ["live", "development"] as const;

/** "not in force": the organization is stored, and showing it completes it; see show-organization.ts. */
export async function createOrganization(
  services: ChangeServices & Pick<ConsoleServices, "organizations" | "keyText" | "currentSecretVersion">,
  posted: PostedOrganization,
  by: CreatedBy,
): Promise<Result<OrganizationAnswer, "slug taken" | NotInForce>> {
  const secretVersion = await services.currentSecretVersion();
  const environments = ENVIRONMENT_SLUGS.map((slug) => newEnvironment(slug, secretVersion));
  const organization = { id: newOrganizationId(), ...posted, environments };
  const ids = environments.map(({ id }) => id);
  try {
    const created = await applyChange(services, ids, () => services.organizations.insert(organization, by));
    return created.ok ? ok(await answerWithKeys(services, organization)) : created;
  } catch (error) {
    if (error instanceof SlugTaken) return fail("slug taken");
    throw error;
  }
}

function newEnvironment(slug: string, secretVersion: number): EnvironmentRecord {
  return { id: newEnvironmentId(), slug, keys: [{ id: newKeyId(), secretVersion }] };
}
