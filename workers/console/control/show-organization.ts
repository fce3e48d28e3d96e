// GET /api/v1/organizations/{org} of the operator: shows an organization with its keys. Every environment is pushed
// again, which completes a creation whose first push failed and otherwise changes nothing.
import type { OrganizationAnswer } from "../../../shared/api/setup.ts";
import { fail, ok, type Result } from "../../../shared/kernel/result.ts";
import { answerWithKeys } from "./answer-with-keys.ts";
import { type NotInForce, type PushServices, pushEnvironments } from "./apply-change.ts";
import type { ConsoleServices } from "./ports.ts";

export async function showOrganization(
  services: PushServices & Pick<ConsoleServices, "organizations" | "keyText">,
  slug: string,
): Promise<Result<OrganizationAnswer, "not found" | NotInForce>> {
  const organization = await services.organizations.find(slug);
  if (organization === null) return fail("not found");
  const ids = organization.environments.map(({ id }) => id);
  if (!(await pushEnvironments(services, ids))) return fail("not in force");
  return ok(await answerWithKeys(services, organization));
}
