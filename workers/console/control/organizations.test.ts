// Making and showing an organization: the order of what happens, and what is answered when a part of it fails.
import { expect, test } from "vitest";
import type { EnvironmentState } from "../../../shared/contracts/environment.ts";
import { organizationAnswer } from "../answers.ts";
import { createOrganization } from "./create-organization.ts";
import type { OrganizationEffects } from "./organization-effects.ts";
import type { OrganizationRecord } from "./organization-records.ts";
import { showOrganization } from "./show-organization.ts";

const POSTED = { name: "Acme", slug: "acme" };

/** A world that remembers what was stored and pushed, in order. */
function world() {
  const log: string[] = [];
  const states: EnvironmentState[] = [];
  let record: OrganizationRecord | null = null;
  const effects: OrganizationEffects = {
    async insert(organization) {
      log.push("insert");
      if (record?.slug === organization.slug) return { ok: true, value: "slug taken" };
      record = organization;
      return { ok: true, value: "inserted" };
    },
    async find(slug) {
      return { ok: true, value: record?.slug === slug ? record : null };
    },
    async provision(state) {
      log.push(`provision ${state.environment.slug}`);
      states.push(state);
    },
    keyText: async (key) => `trigger_${key.environmentSlug}_${key.keyId}_${key.secretVersion}`,
    currentSecretVersion: async () => 7,
  };
  return { log, states, effects, record: () => record };
}

test("an organization is stored first, then its environments are told, then its keys are answered", async () => {
  const { log, states, effects, record } = world();
  const result = await createOrganization(effects, POSTED);
  expect(log).toEqual(["insert", "provision live", "provision development"]);

  const organization = record();
  const [live, development] = organization?.environments ?? [];
  const answered = (environment: typeof live) => ({
    id: environment?.id,
    slug: environment?.slug,
    key: `trigger_${environment?.slug}_${environment?.keys[0]?.id}_7`,
  });
  expect(result).toEqual({
    outcome: "created",
    organization: {
      id: organization?.id,
      ...POSTED,
      environments: { live: answered(live), development: answered(development) },
    },
  });
  expect(states[0]).toEqual({
    revision: 1,
    organization: { id: organization?.id, slug: "acme" },
    environment: { id: live?.id, slug: "live" },
    keys: [{ id: live?.keys[0]?.id, scopes: [], expiresAt: null }],
    receives: { webhooks: true, schedules: true },
    retention: { days: 7, historyDays: 90 },
    schedules: [],
  });
  expect(organizationAnswer(result).status).toBe(201);
});

test("showing answers the same and tells the environments again", async () => {
  const { log, effects } = world();
  const created = await createOrganization(effects, POSTED);
  const shown = await showOrganization(effects, "acme");
  expect(shown).toEqual({ ...created, outcome: "shown" });
  expect(log).toEqual(["insert", "provision live", "provision development", "provision live", "provision development"]);
  expect(organizationAnswer(shown).status).toBe(200);
});

test("a push that fails is named, and showing the organization completes it", async () => {
  const { effects, states } = world();
  const broken = { ...effects, provision: () => Promise.reject(new Error("the object is away")) };
  const failed = organizationAnswer(await createOrganization(broken, POSTED));
  expect([failed.status, await failed.json()]).toEqual([
    503,
    { error: expect.stringContaining("GET /api/v1/organizations/acme completes it") },
  ]);
  expect(organizationAnswer(await showOrganization(effects, "acme")).status).toBe(200);
  expect(states.map(({ environment }) => environment.slug)).toEqual(["live", "development"]);
});

test("a taken slug is a conflict, and nothing is pushed", async () => {
  const { effects, log } = world();
  await createOrganization(effects, POSTED);
  const before = log.length;
  expect(organizationAnswer(await createOrganization(effects, POSTED)).status).toBe(409);
  expect(log.slice(before)).toEqual(["insert"]);
});

test("an organization that does not exist is not found", async () => {
  expect(organizationAnswer(await showOrganization(world().effects, "acme")).status).toBe(404);
});

test.each([
  ["unreachable", "try again"],
  ["refused", "DATABASE_URL"],
  ["not migrated", "npm run db:migrate"],
] as const)("a Postgres that is %s is a 503 that says what to do", async (failed, advice) => {
  const { effects } = world();
  const away: OrganizationEffects = {
    ...effects,
    insert: async () => ({ ok: false, failed }),
    find: async () => ({ ok: false, failed }),
  };
  for (const result of [await createOrganization(away, POSTED), await showOrganization(away, "acme")]) {
    const response = organizationAnswer(result);
    expect([response.status, await response.json()]).toEqual([503, { error: expect.stringContaining(advice) }]);
  }
});

test("an answer with keys is kept by no cache", async () => {
  const { effects } = world();
  const response = organizationAnswer(await createOrganization(effects, POSTED));
  expect(response.headers.get("cache-control")).toBe("no-store");
});
