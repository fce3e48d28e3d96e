// Creating and showing an organization: the order of the steps, and the answer if one of them fails.
import { describe, expect, test } from "vitest";
import { createOrganization } from "./create-organization.ts";
import { showOrganization } from "./show-organization.ts";
import { memoryStores } from "./stores.fixture.ts";

const POSTED = { name: "Acme", slug: "acme" };
const BY = { actor: "usr_1", owner: "usr_1" };

const answered = (slug: string) => {
  const key = expect.stringMatching(`^trigger_${slug}_key_.*_7$`);
  return { id: expect.stringMatching("^env_"), slug, key };
};
const ANSWER = {
  id: expect.stringMatching("^org_"),
  ...POSTED,
  environments: { live: answered("live"), development: answered("development") },
};

describe("createOrganization", () => {
  test("stores the organization, pushes its environments, then answers with its keys", async () => {
    const { happened, services, objects, tickets, afterAnswers } = memoryStores();
    expect(await createOrganization(services, POSTED, BY)).toEqual({ ok: true, value: ANSWER });
    await afterAnswers();
    const pushes = ["read", "read", "push", "push", "record", "record"];
    expect(happened).toEqual(["take ticket", "write", ...pushes, "settle"]);
    expect([...objects.values()].map(({ revision }) => revision)).toEqual([1, 1]);
    expect(tickets.size).toBe(0);
  });

  test.each(["before read", "before push", "after push", "before record"])(
    "reports that it is not in force if it stops %s, and showing completes it",
    async (point) => {
      const { cut, services, postgres, objects } = memoryStores();
      cut.add(point);
      expect(await createOrganization(services, POSTED, BY)).toEqual({ ok: false, failure: "not in force" });
      expect(await showOrganization(services, "acme")).toEqual({ ok: false, failure: "not in force" });
      cut.clear();
      expect(await showOrganization(services, "acme")).toEqual({ ok: true, value: ANSWER });
      expect([...postgres.values()].map(({ pushed }) => pushed)).toEqual([1, 1]);
      expect([...objects.values()].map(({ revision }) => revision)).toEqual([1, 1]);
    },
  );

  test("is completed by the repair if nobody shows it", async () => {
    const { cut, services, postgres, objects, tickets, repair } = memoryStores();
    cut.add("before push");
    await createOrganization(services, POSTED, BY);
    await repair();
    expect([...postgres.values()].map(({ pushed }) => pushed)).toEqual([1, 1]);
    expect([objects.size, tickets.size]).toEqual([2, 0]);
  });

  test("throws if the write fails, and the repair finds nothing to push", async () => {
    const { cut, services, objects, tickets, repair } = memoryStores();
    cut.add("before write");
    await expect(createOrganization(services, POSTED, BY)).rejects.toThrow();
    await repair();
    expect([objects.size, tickets.size]).toEqual([0, 0]);
  });

  test("refuses a slug that is taken, and pushes nothing", async () => {
    const { services, happened } = memoryStores();
    await createOrganization(services, POSTED, BY);
    const before = happened.length;
    expect(await createOrganization(services, POSTED, BY)).toEqual({ ok: false, failure: "slug taken" });
    expect(happened.slice(before)).toEqual(["take ticket"]);
  });
});

describe("showOrganization", () => {
  test("answers the same as the creation and pushes the environments again", async () => {
    const { services, happened, afterAnswers } = memoryStores();
    const created = await createOrganization(services, POSTED, BY);
    await afterAnswers();
    const before = happened.length;
    expect(await showOrganization(services, "acme")).toEqual(created);
    expect(happened.slice(before)).toEqual(["find", "read", "read", "push", "push", "record", "record"]);
  });

  test("reports an organization that does not exist", async () => {
    expect(await showOrganization(memoryStores().services, "acme")).toEqual({ ok: false, failure: "not found" });
  });
});
