// What making and showing an organization does to the world, behind an interface: tests put a record of it in its place.
import type { EnvironmentState } from "../../../shared/contracts/environment.ts";
import { errorName, log } from "../../../shared/kernel/log.ts";
import { actorOf, type Caller } from "../access/caller.ts";
import { recordPushed } from "./desired-state.ts";
import { findOrganization, insertOrganization, type OrganizationRecord, type Stored } from "./organization-records.ts";
import type { KeyParts, World } from "./services.ts";

export interface OrganizationEffects {
  /** Writes all of it, or nothing. */
  insert(organization: OrganizationRecord): Promise<Stored<"inserted" | "slug taken">>;
  find(slug: string): Promise<Stored<OrganizationRecord | null>>;
  /** Pushes a state to its environment's object. Rejects when the object could not be reached. */
  provision(state: EnvironmentState): Promise<void>;
  keyText(key: KeyParts): Promise<string>;
  /** The version of the deployment's secret that new keys are derived under. */
  currentSecretVersion(): Promise<number>;
}

/** The real effects of one request of this caller, who owns what they make unless they are the operator. */
export function organizationEffects(world: World, caller: Caller): OrganizationEffects {
  let ticket: string | null = null;
  const untold = new Set<string>();
  return {
    async insert(organization) {
      for (const { id } of organization.environments) untold.add(id);
      ticket = await world.repairs.expect([...untold]);
      const owner = caller.kind === "person" ? caller.userId : null;
      return insertOrganization(world.db, organization, { actor: actorOf(caller), owner });
    },
    find: (slug) => findOrganization(world.db, slug),
    async provision(state) {
      const { id } = state.environment;
      const { revision } = await world.objects.provision(state).catch((error: unknown) => {
        const name = errorName(error);
        log("error", "environment not provisioned", { environment: id, name });
        throw error;
      });
      untold.delete(id);
      const settled = ticket !== null && untold.size === 0 ? world.repairs.settle(ticket) : null;
      world.afterwards(recordPushed(world.db, id, revision).then(() => settled ?? undefined));
    },
    keyText: (key) => world.keyText(key),
    currentSecretVersion: () => world.currentSecretVersion(),
  };
}
