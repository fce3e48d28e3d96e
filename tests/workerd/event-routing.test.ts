// The workflows that an event starts: chosen by kind first, then by name, then by filter.
import { describe, expect, it } from "vitest";
import { makeEnvironment, post, registration, rows, send, type TestEnvironment, TestHost } from "./support.ts";

type Json = Record<string, unknown>;

/** Registers a workflow with any trigger; throws if it is refused. */
async function register({ key }: TestEnvironment, workflowId: string, trigger: Json): Promise<TestHost> {
  const host = await TestHost.connect(key);
  const answer = await host.call("INITIALIZE_HOST_V2", registration(workflowId, "unused", {}, { trigger }));
  if ((answer as { type?: string }).type !== "success") throw new Error(`refused: ${JSON.stringify(answer)}`);
  return host;
}

const custom = (name: string, filter: Json) => ({ type: "CUSTOM_EVENT", service: "trigger", name, filter });

async function startedBy(live: TestEnvironment, event: Json): Promise<string[]> {
  const response = await post(live.key, "/api/v1/events", { event });
  expect(response.status).toBe(200);
  const { runs } = (await response.json()) as { runs: { workflow: string }[] };
  expect(await rows(live, "SELECT count(*) AS n FROM runs")).toEqual([{ n: runs.length }]);
  return runs.map(({ workflow }) => workflow).sort();
}

describe("a filter on the payload", () => {
  const filter = {
    event: ["order"],
    payload: { status: ["paid", "sent"], customer: { country: ["DE"] }, items: { sku: ["a1"] } },
  };
  const fits = { status: "paid", customer: { country: "DE" }, items: [{ sku: "b2" }, { sku: "a1" }] };

  it.each<[string, unknown, boolean]>([
    ["all of it fits", fits, true],
    ["another of the values fits", { ...fits, status: "sent" }, true],
    ["there is more in the payload", { ...fits, more: [1, { deep: true }] }, true],
    ["a value is another", { ...fits, status: "open" }, false],
    ["a value has another type", { ...fits, status: 1 }, false],
    ["a value is missing", { ...fits, status: undefined }, false],
    ["a value is null", { ...fits, customer: null }, false],
    ["a value is a scalar where an object is asked for", { ...fits, customer: "DE" }, false],
    ["no item of a list fits", { ...fits, items: [{ sku: "b2" }] }, false],
    ["the payload is null", null, false],
    ["the payload is a string", "paid", false],
    ["the payload is an empty list", [], false],
    ["what fits is inherited and not there", { ...fits, customer: { __proto__: null } }, false],
  ])("decides whether an event starts the workflow: %s", async (_what, payload, starts) => {
    const live = await makeEnvironment("live");
    await register(live, "orders", custom("order", filter));
    expect(await startedBy(live, { name: "order", payload })).toEqual(starts ? ["orders"] : []);
  });
});

describe("an event", () => {
  it("starts every workflow that listens for it, each in its own run, and no other", async () => {
    const live = await makeEnvironment("live");
    await register(live, "first", custom("order", { event: ["order"] }));
    await register(live, "second", custom("order", { event: ["order"], payload: {} }));
    await register(live, "other-name", custom("orders", { event: ["orders"] }));
    await register(live, "other-filter", custom("order", { event: ["order"], payload: { vip: [true] } }));
    expect(await startedBy(live, { name: "order", payload: { vip: false } })).toEqual(["first", "second"]);
  });

  it("starts a workflow for each name it listens for, and one that takes any name", async () => {
    const live = await makeEnvironment("live");
    await register(live, "two", custom("a", { event: ["a", "b"] }));
    await register(live, "any", custom("a", { event: [] }));
    const started = await Promise.all(["a", "b", "c"].map(async (name) => (await send(live.key, name)).runs));
    expect(started.map((runs) => runs.map(({ workflow }) => workflow).sort())).toEqual([
      ["any", "two"],
      ["any", "two"],
      ["any"],
    ]);
  });

  it("meets filters on its context, even if it has none", async () => {
    const live = await makeEnvironment("live");
    await register(live, "vip", custom("order", { event: ["order"], context: { tier: ["gold"] } }));
    const start = async (event: Json) => {
      const response = await post(live.key, "/api/v1/events", { event });
      return ((await response.json()) as { runs: unknown[] }).runs.length;
    };
    expect(await start({ name: "order", payload: 1, context: { tier: "gold" } })).toBe(1);
    expect(await start({ name: "order", payload: 1, context: { tier: "tin" } })).toBe(0);
    expect(await start({ name: "order", payload: 1, context: null })).toBe(0);
    expect(await start({ name: "order", payload: 1 })).toBe(0);
  });

  it("starts only workflows for posted events, whatever name the others listen for", async () => {
    const live = await makeEnvironment("live");
    const webhook = { type: "WEBHOOK", service: "github", source: {}, manualRegistration: false };
    await register(live, "webhook", { ...webhook, name: "issues", filter: { service: ["github"], event: ["issues"] } });
    await register(live, "any-webhook", { ...webhook, name: "issues", filter: {} });
    const schedule = { type: "SCHEDULE", service: "scheduler", name: "scheduled-event", source: { cron: "0 * * * *" } };
    await register(live, "schedule", schedule);
    await register(live, "custom", custom("issues", { event: ["issues"] }));
    expect(await startedBy(live, { name: "issues", payload: {} })).toEqual(["custom"]);
    expect((await send(live.key, "scheduled-event")).runs).toEqual([]);
  });

  it("starts nothing if nobody listens, and is accepted all the same", async () => {
    const live = await makeEnvironment("live");
    expect(await startedBy(live, { name: "order", payload: 1 })).toEqual([]);
    await register(live, "late", custom("order", { event: ["order"] }));
    expect(await rows(live, "SELECT count(*) AS n FROM runs")).toEqual([{ n: 0 }]);
  });

  it.each(["__proto__", "constructor", "toString", "a b", "a'b\"c", "ä€😀", "%", "x".repeat(256)])(
    "starts the workflow that listens for a name like %s",
    async (name) => {
      const live = await makeEnvironment("live");
      await register(live, "odd", custom(name, { event: [name] }));
      expect(await startedBy(live, { name, payload: { __proto__: null } })).toEqual(["odd"]);
    },
  );
});

it("applies a replaced filter to the next event", async () => {
  const live = await makeEnvironment("live");
  await register(live, "orders", custom("old", { event: ["old"] }));
  expect((await send(live.key, "old")).runs).toHaveLength(1);
  await register(live, "orders", custom("new", { event: ["new"] }));
  expect((await send(live.key, "old")).runs).toHaveLength(0);
  expect((await send(live.key, "new")).runs).toHaveLength(1);
});
