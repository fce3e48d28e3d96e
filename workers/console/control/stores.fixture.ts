// Postgres and the environments' objects in memory, for tests of changes. `happened` lists the steps in order. A step named
// in `cut` fails before its effect ("before push") or after it ("after push": the caller does not hear of it).
import type { EnvironmentState } from "../../../shared/contracts/environment.ts";
import type { ChangeServices } from "./apply-change.ts";
import { pushEnvironment } from "./apply-change.ts";
import { type ConsoleServices, type OrganizationRecord, SlugTaken } from "./ports.ts";

export class Cut extends Error {}

interface Row {
  state: EnvironmentState;
  pushed: number;
  deleted: boolean;
}

type Services = ChangeServices & Pick<ConsoleServices, "organizations" | "keyText" | "currentSecretVersion">;

export function memoryStores() {
  const happened: string[] = [];
  const cut = new Set<string>();
  /** By environment; a row that is forgotten is gone. */
  const postgres = new Map<string, Row>();
  const organizations = new Map<string, OrganizationRecord>();
  const objects = new Map<string, { revision: number; deleted: boolean }>();
  const tickets = new Map<string, readonly string[]>();
  const pending: Promise<void>[] = [];

  const step = async (name: string, act: () => void) => {
    if (cut.has(`before ${name}`)) throw new Cut();
    act();
    happened.push(name);
    if (cut.has(`after ${name}`)) throw new Cut();
  };
  const rowOf = (id: string): Row => {
    const row = postgres.get(id);
    if (row === undefined) throw new Error(`no environment ${id}`);
    return row;
  };

  const services: Services = {
    record: {
      async readDesired(id) {
        await step("read", () => {});
        const row = postgres.get(id);
        if (row === undefined) return null;
        const { state, deleted } = row;
        if (deleted) return { kind: "deleted", organizationId: state.organization.id, revision: state.revision };
        return { kind: "provisioned", state };
      },
      recordPushed: (id, revision) =>
        step("record", () => {
          const row = rowOf(id);
          row.pushed = Math.max(row.pushed, revision);
        }),
      forgetIfDeleted: (organizationId) =>
        step("forget", () => {
          const its = [...postgres].filter(([, { state }]) => state.organization.id === organizationId);
          if (its.some(([, row]) => !row.deleted || row.pushed < row.state.revision)) return;
          for (const [id] of its) postgres.delete(id);
        }),
    },
    organizations: {
      insert: (organization) =>
        step("write", () => {
          if (organizations.has(organization.slug)) throw new SlugTaken();
          organizations.set(organization.slug, organization);
          for (const { id, slug, keys } of organization.environments) {
            const state = {
              revision: 1,
              organization: { id: organization.id, slug: organization.slug },
              environment: { id, slug },
              keys: keys.map((key) => ({ id: key.id, scopes: [], expiresAt: null })),
            };
            postgres.set(id, { state, pushed: 0, deleted: false });
          }
        }),
      async find(slug) {
        await step("find", () => {});
        return organizations.get(slug) ?? null;
      },
    },
    objects: {
      async provision(state) {
        const { id } = state.environment;
        const revision = Math.max(objects.get(id)?.revision ?? 0, state.revision);
        await step("push", () => objects.set(id, { revision, deleted: false }));
        return { revision };
      },
      deprovision: (id) => step("push", () => objects.set(id, { revision: 0, deleted: true })),
    },
    repairs: {
      async expect(ids) {
        const ticket = `ticket ${tickets.size + 1}`;
        await step("take ticket", () => tickets.set(ticket, ids));
        return ticket;
      },
      settle: (ticket) => step("settle", () => tickets.delete(ticket)),
    },
    afterwards: (work) => pending.push(work.catch(() => {})),
    keyText: async (key) => `trigger_${key.environmentSlug}_${key.keyId}_${key.secretVersion}`,
    currentSecretVersion: async () => 7,
  };

  /** Everything works again, and the object Repairs pushes what it holds tickets for. */
  const repair = async () => {
    cut.clear();
    for (const [ticket, ids] of tickets) {
      for (const id of ids) await pushEnvironment(services, id);
      tickets.delete(ticket);
    }
  };
  /** Waits for the work that goes on after an answer. */
  const afterAnswers = async () => {
    await Promise.all(pending);
  };
  return { happened, cut, postgres, objects, tickets, services, step, repair, afterAnswers };
}
