// The answer about an organization that contains the keys of its environments, for its creator and the operator.
import type { OrganizationAnswer } from "../../../shared/api/setup.ts";
import type { ConsoleServices, EnvironmentRecord, OrganizationRecord } from "./ports.ts";

/** The text of each environment's oldest key is derived anew: no store has it. */
export async function answerWithKeys(
  services: Pick<ConsoleServices, "keyText">,
  { id, slug, name, environments }: OrganizationRecord,
): Promise<OrganizationAnswer> {
  const answers = environments.map(async (environment) => {
    const key = await textOfFirstKey(services, environment);
    return [environment.slug, { id: environment.id, slug: environment.slug, key }] as const;
  });
  return { id, slug, name, environments: Object.fromEntries(await Promise.all(answers)) };
}

async function textOfFirstKey(
  services: Pick<ConsoleServices, "keyText">,
  { id, slug, keys: [key] }: EnvironmentRecord,
): Promise<string | null> {
  if (key === undefined) return null;
  const { secretVersion } = key;
  return services.keyText({ environmentId: id, environmentSlug: slug, keyId: key.id, secretVersion });
}
