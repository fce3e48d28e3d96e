// A webhook delivery that a source hands to an environment: routed once, and only to workflows of its service.
import { beforeEach, describe, expect, it } from "vitest";
import type { Delivery } from "../../shared/contracts/environment.ts";
import { newEnvironmentId } from "../../shared/ids/ids.ts";
import { bindings, getJson, injectBug, makeEnvironment, send, type TestEnvironment, TestHost } from "./support.ts";

let environment: TestEnvironment;
beforeEach(async () => {
  environment = await makeEnvironment("live");
});

const RECEIVED_AT = 1_763_800_000_000;

function delivery(
  change: Partial<Omit<Delivery, "event">> = {},
  payload: unknown = { a: 1 },
  id = "source:1",
): Delivery {
  const digest = new TextEncoder().encode(JSON.stringify(payload).padEnd(16).slice(0, 16));
  const context = JSON.stringify({ headers: { "x-event": "issues" } });
  return {
    service: "acme",
    name: "issues",
    event: { id, payload: JSON.stringify(payload), context, digest },
    receivedAt: RECEIVED_AT,
    ...change,
  };
}

function listen(
  workflow: string,
  service: string,
  event: string,
  filter: Record<string, unknown> = {},
): Promise<TestHost> {
  const whole = { service: [service], event: [event], ...filter };
  const trigger = { type: "WEBHOOK", service, name: event, filter: whole, source: {}, manualRegistration: true };
  return TestHost.listening(environment.key, workflow, event, { trigger });
}

const deliver = (one: Delivery) => environment.stub.receiveDelivery(one);
/** The workflows that a delivery started. */
async function started(one: Delivery): Promise<string[]> {
  const outcome = await deliver(one);
  return outcome.outcome === "accepted" ? outcome.event.runs.map(({ workflow }) => workflow) : [outcome.outcome];
}

describe("a delivery", () => {
  it("starts the workflows of its service and name, with its payload", async () => {
    const host = await listen("on-issues", "acme", "issues");
    await listen("on-pushes", "acme", "push");
    await listen("of-another", "other", "issues");
    await TestHost.listening(environment.key, "custom", "issues");
    expect(await started(delivery())).toEqual(["on-issues"]);
    const { id, input } = await host.offer();
    expect(input).toEqual({ a: 1 });
    const run = await getJson<{ event: object }>(environment.key, `/api/v1/runs/${id}`);
    expect(run.event).toMatchObject({
      id: "source:1",
      name: "issues",
      payload: { a: 1 },
      context: { headers: { "x-event": "issues" } },
      timestamp: new Date(RECEIVED_AT).toISOString(),
    });
  });

  it("meets the filters on its payload and its headers", async () => {
    await listen("fits", "acme", "issues", { payload: { action: ["opened"] } });
    await listen("does-not", "acme", "issues", { payload: { action: ["closed"] } });
    await listen("by-header", "acme", "issues", { context: { headers: { "x-event": ["issues"] } } });
    expect(await started(delivery({}, { action: "opened" }))).toEqual(["fits", "by-header"]);
  });

  it("starts the workflows of its service under every name when it has no name", async () => {
    await listen("on-issues", "acme", "issues");
    await listen("on-pushes", "acme", "push");
    await listen("of-another", "other", "issues");
    await listen("filtered", "acme", "push", { payload: { a: [2] } });
    expect(await started(delivery({ name: null }))).toEqual(["on-issues", "on-pushes"]);
  });

  it("starts no workflow of custom events, nor does a custom event start a workflow of webhooks", async () => {
    await listen("on-issues", "acme", "issues");
    await TestHost.listening(environment.key, "custom", "issues");
    expect((await send(environment.key, "issues")).runs.map(({ workflow }) => workflow)).toEqual(["custom"]);
  });

  it("gets its first answer again when it is handed over again, and makes nothing", async () => {
    await listen("on-issues", "acme", "issues");
    const first = await deliver(delivery());
    expect(await deliver(delivery())).toEqual(first);
    const { data } = await getJson<{ data: unknown[] }>(environment.key, "/api/v1/runs");
    expect(data).toHaveLength(1);
  });

  it("starts its runs once when it is handed over many times at once", async () => {
    await listen("on-issues", "acme", "issues");
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => deliver(delivery())));
    expect(new Set(outcomes.map((outcome) => JSON.stringify(outcome))).size).toBe(1);
    expect((await getJson<{ data: unknown[] }>(environment.key, "/api/v1/runs")).data).toHaveLength(1);
  });

  it("conflicts under the id of another", async () => {
    await deliver(delivery());
    expect(await deliver(delivery({}, { a: 2 }))).toEqual({ outcome: "conflict" });
  });

  it("waits outside an environment that receives no webhooks, and enters when it does again", async () => {
    const { stub, state } = environment;
    await stub.provision({ ...state, revision: 2, receives: { webhooks: false, schedules: true } });
    expect(await deliver(delivery())).toEqual({ outcome: "not received" });
    await stub.provision({ ...state, revision: 3, receives: { webhooks: true, schedules: true } });
    expect(await deliver(delivery())).toMatchObject({ outcome: "accepted" });
  });

  it("finds nobody in an environment that never was, or was deleted", async () => {
    expect(await bindings.ENVIRONMENT.getByName(newEnvironmentId()).receiveDelivery(delivery())).toEqual({
      outcome: "gone",
    });
    await environment.stub.deprovision();
    expect(await deliver(delivery())).toEqual({ outcome: "gone" });
  });

  it("gets an error when it could not be stored, and is handed over again", async () => {
    await listen("on-issues", "acme", "issues");
    await injectBug(environment, (query) => query.startsWith("INSERT INTO events"));
    expect(await deliver(delivery())).toEqual({ outcome: "failed" });
  });
});
