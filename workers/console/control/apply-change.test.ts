// A change is stopped before and after each of its steps, and the repair makes both stores the same.
import { describe, expect, test } from "vitest";
import type { EnvironmentState } from "../../../shared/contracts/environment.ts";
import { applyChange } from "./apply-change.ts";
import { memoryStores } from "./stores.fixture.ts";

const ID = "env_1";

function stateAt(revision: number): EnvironmentState {
  return {
    revision,
    organization: { id: "org_1", slug: "acme" },
    environment: { id: ID, slug: "live" },
    keys: revision === 1 ? [{ id: "key_1", scopes: [], expiresAt: null }] : [],
  };
}

/** One environment at revision 1 in both stores, and a change to revision 2. */
function oneEnvironment() {
  const stores = memoryStores();
  const row = { state: stateAt(1), pushed: 1, deleted: false };
  stores.postgres.set(ID, row);
  stores.objects.set(ID, { revision: 1, deleted: false });
  const write = () => stores.step("write", () => (row.state = stateAt(row.state.revision + 1)));
  const change = async () => {
    const heard = await applyChange(stores.services, [ID], write).then(
      (changed) => (changed.ok ? "done" : changed.failure),
      () => "thrown",
    );
    await stores.afterAnswers();
    return heard;
  };
  /** Revisions that Postgres has, that it has recorded as pushed, and that the object has; then the open tickets. */
  const revisions = () => [row.state.revision, row.pushed, stores.objects.get(ID)?.revision, stores.tickets.size];
  return { ...stores, row, change, revisions };
}

describe("applyChange", () => {
  test("takes a ticket, writes, pushes, records the push and settles the ticket, in this order", async () => {
    const { happened, change, revisions } = oneEnvironment();
    expect(await change()).toBe("done");
    expect(happened).toEqual(["take ticket", "write", "read", "push", "record", "settle"]);
    expect(revisions()).toEqual([2, 2, 2, 0]);
  });

  // Where the change stops, the caller's answer, the object's revision by then, and whether Postgres has the change.
  test.each([
    ["before take ticket", "thrown", 1, false],
    ["after take ticket", "thrown", 1, false],
    ["before write", "thrown", 1, false],
    ["after write", "thrown", 1, true],
    ["before read", "not in force", 1, true],
    ["after read", "not in force", 1, true],
    ["before push", "not in force", 1, true],
    ["after push", "not in force", 2, true],
    ["before record", "not in force", 2, true],
    ["after record", "not in force", 2, true],
    ["before settle", "done", 2, true],
  ] as const)("leaves the rest to the repair if it stops %s", async (point, heard, has, committed) => {
    const { cut, change, repair, objects, revisions } = oneEnvironment();
    cut.add(point);
    expect(await change()).toBe(heard);
    expect(objects.get(ID)?.revision).toBe(has);
    await repair();
    const revision = committed ? 2 : 1;
    expect(revisions()).toEqual([revision, revision, revision, 0]);
  });

  test("writes nothing if it cannot take a ticket", async () => {
    const { cut, change, happened } = oneEnvironment();
    cut.add("before take ticket");
    await change();
    expect(happened).toEqual([]);
  });

  test.each(["before push", "after push", "before record", "after record", "before forget", "after forget"] as const)(
    "completes a deletion that stops %s",
    async (point) => {
      const { row, cut, change, repair, postgres, objects, tickets } = oneEnvironment();
      row.deleted = true;
      cut.add(point);
      expect(await change()).toBe("not in force");
      await repair();
      expect([postgres.has(ID), objects.get(ID)?.deleted, tickets.size]).toEqual([false, true, 0]);
    },
  );
});
