// Two stores, one truth: a change is cut off at every point between them, and the repair makes both the same.
import { expect, test } from "vitest";
import type { EnvironmentState } from "../../../shared/contracts/environment.ts";
import { Refused } from "../refusals.ts";
import { type ChangeWorld, changing, pushEnvironment } from "./apply-change.ts";
import type { Desired } from "./desired-state.ts";

const ID = "env_1";

function stateAt(revision: number): EnvironmentState {
  return {
    revision,
    organization: { id: "org_1", slug: "acme" },
    environment: { id: ID, slug: "live" },
    keys: revision === 1 ? [{ id: "key_1", scopes: [], expiresAt: null }] : [],
  };
}

class Cut extends Error {}

/** Postgres and an object, and a list of what happens. Whatever is in `cut` does not, or is not heard of. */
function world() {
  const happened: string[] = [];
  const cut = new Set<string>();
  const postgres = { revision: 1, pushed: 1, deleted: false, forgotten: false };
  const object = { revision: 1, deleted: false };
  const tickets = new Set<string>();
  const step = async (name: string, act: () => void) => {
    if (cut.has(`before ${name}`)) throw new Cut();
    act();
    happened.push(name);
    if (cut.has(`after ${name}`)) throw new Cut();
  };
  const pending: Promise<void>[] = [];
  const made: ChangeWorld = {
    record: {
      async desired(): Promise<Desired | null> {
        await step("read", () => {});
        if (postgres.forgotten) return null;
        if (postgres.deleted) return { kind: "deleted", organizationId: "org_1", revision: postgres.revision };
        return { kind: "provisioned", state: stateAt(postgres.revision) };
      },
      pushed: (_id, revision) => step("note", () => (postgres.pushed = Math.max(postgres.pushed, revision))),
      forgetIfDeleted: () =>
        step("forget", () => (postgres.forgotten = postgres.deleted && postgres.pushed === postgres.revision)),
    },
    objects: {
      async provision({ revision }) {
        await step("push", () => (object.revision = Math.max(object.revision, revision)));
        return { revision: object.revision };
      },
      deprovision: () => step("push", () => (object.deleted = true)),
    },
    repairs: {
      async expect() {
        await step("announce", () => tickets.add("ticket"));
        return "ticket";
      },
      settle: (ticket) => step("settle", () => tickets.delete(ticket)),
    },
    afterwards: (work) => pending.push(work.catch(() => {})),
  };
  const change = async () => {
    const done = await changing(made, [ID], () => step("write", () => postgres.revision++)).then(
      () => "done",
      (error: unknown) => (error instanceof Refused ? "refused" : "failed"),
    );
    await Promise.all(pending);
    return done;
  };
  const repair = async () => {
    cut.clear();
    for (const ticket of [...tickets]) {
      await pushEnvironment(made, ID);
      tickets.delete(ticket);
    }
  };
  return { happened, cut, postgres, object, tickets, change, repair };
}

test("a change is announced, written, pushed, noted and settled, in this order", async () => {
  const { happened, change, postgres, object, tickets } = world();
  expect(await change()).toBe("done");
  expect(happened).toEqual(["announce", "write", "read", "push", "note", "settle"]);
  expect([postgres, object, tickets.size]).toEqual([
    { revision: 2, pushed: 2, deleted: false, forgotten: false },
    { revision: 2, deleted: false },
    0,
  ]);
});

test.each([
  // Cut off here, the caller hears this, and this is what the object has by then.
  ["before announce", "failed", 1, false],
  ["after announce", "failed", 1, false],
  ["before write", "failed", 1, false],
  ["after write", "failed", 1, true],
  ["before read", "refused", 1, true],
  ["after read", "refused", 1, true],
  ["before push", "refused", 1, true],
  ["after push", "refused", 2, true],
  ["before note", "refused", 2, true],
  ["after note", "refused", 2, true],
  ["before settle", "done", 2, true],
] as const)("cut off %s it is %s, and the repair makes both stores the same", async (point, heard, has, committed) => {
  const { cut, change, repair, postgres, object, tickets } = world();
  cut.add(point);
  expect(await change()).toBe(heard);
  expect(object.revision).toBe(has);
  await repair();
  const revision = committed ? 2 : 1;
  expect([postgres.revision, postgres.pushed, object.revision, tickets.size]).toEqual([
    revision,
    revision,
    revision,
    0,
  ]);
});

test("nothing is written when the repair cannot be announced", async () => {
  const { cut, change, happened } = world();
  cut.add("before announce");
  await change();
  expect(happened).toEqual([]);
});

test.each(["before push", "after push", "before note", "after note", "before forget", "after forget"] as const)(
  "a deletion that is cut off %s is completed",
  async (point) => {
    const { cut, change, repair, postgres, object, tickets } = world();
    postgres.deleted = true;
    cut.add(point);
    expect(await change()).toBe("refused");
    await repair();
    expect([postgres.forgotten, object.deleted, tickets.size]).toEqual([true, true, 0]);
  },
);
