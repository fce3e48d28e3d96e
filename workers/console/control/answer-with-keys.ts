// What both operations on an organization share: the states its environments are told, and the answer with its keys.

import type { OrganizationAnswer } from "../../../shared/api/setup.ts";
import type { EnvironmentState } from "../../../shared/contracts/environment.ts";
import { HISTORY_DAYS, RETENTION_DAYS } from "../../../shared/kernel/limits.ts";
import type { DatabaseFault } from "../database-faults.ts";
import type { OrganizationEffects } from "./organization-effects.ts";
import type { EnvironmentRecord, OrganizationRecord } from "./organization-records.ts";

/** How an operation ended; `organizationAnswer` in answers.ts gives each its status and words. */
export type OrganizationOutcome =
  | { readonly outcome: "created" | "shown"; readonly organization: OrganizationAnswer }
  | { readonly outcome: "slug taken" | "not found" }
  | { readonly outcome: "database fault"; readonly fault: DatabaseFault }
  /** Postgres has the organization, an environment's object could not be told. */
  | { readonly outcome: "not provisioned"; readonly slug: string };

/**
 * Tells every environment its state, then derives the keys. Pushing what an object has already changes nothing, so
 * this also completes an organization whose first push failed.
 */
export async function provisionAndAnswer(
  effects: OrganizationEffects,
  organization: OrganizationRecord,
  outcome: "created" | "shown",
): Promise<OrganizationOutcome> {
  const { id, slug, name, environments } = organization;
  const pushes = environments.map((environment) => effects.provision(environmentState(organization, environment)));
  const pushed = await Promise.allSettled(pushes);
  if (pushed.some(({ status }) => status === "rejected")) return { outcome: "not provisioned", slug };

  const answers = environments.map(async (environment) => {
    const key = await firstKey(effects, environment);
    return [environment.slug, { id: environment.id, slug: environment.slug, key }] as const;
  });
  return { outcome, organization: { id, slug, name, environments: Object.fromEntries(await Promise.all(answers)) } };
}

/** Everything the object needs to know: it decides alone, without Postgres. */
export function environmentState(organization: OrganizationRecord, environment: EnvironmentRecord): EnvironmentState {
  return {
    revision: environment.revision,
    organization: { id: organization.id, slug: organization.slug },
    environment: { id: environment.id, slug: environment.slug },
    keys: environment.keys.map(({ id, scopes, expiresAt }) => ({
      id,
      scopes,
      expiresAt: expiresAt?.getTime() ?? null,
    })),
    receives: { webhooks: environment.receivesWebhooks ?? true, schedules: environment.receivesSchedules ?? true },
    retention: {
      days: environment.retentionDays ?? RETENTION_DAYS,
      historyDays: environment.historyDays ?? HISTORY_DAYS,
    },
    schedules: organization.schedules ?? [],
  };
}

async function firstKey(effects: OrganizationEffects, { id, slug, keys }: EnvironmentRecord): Promise<string | null> {
  const key = keys[0];
  if (key === undefined) return null;
  const { secretVersion } = key;
  return effects.keyText({ environmentId: id, environmentSlug: slug, keyId: key.id, secretVersion });
}
