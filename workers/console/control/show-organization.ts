// GET /api/v1/organizations/:slug: the organization with its keys, derived again. Also tells its environments their
// state again, which completes a creation that failed half-way and changes nothing otherwise.
import type { OrganizationEffects } from "./organization-effects.ts";
import { type OrganizationOutcome, provisionAndAnswer } from "./organizations.ts";

export async function showOrganization(effects: OrganizationEffects, slug: string): Promise<OrganizationOutcome> {
  const found = await effects.find(slug);
  if (!found.ok) return { outcome: "database fault", fault: found.failed };
  if (found.value === null) return { outcome: "not found" };
  return provisionAndAnswer(effects, found.value, "shown");
}
