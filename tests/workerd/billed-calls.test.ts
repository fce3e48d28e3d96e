// The bill of a completed run besides its rows (tests/workerd/rows.test.ts): calls to objects, alarms, and frames
// received by objects. Every class of the script is counted, so that a new call between objects shows up here.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Environment, Repairs, ScheduleBook, SourceBook, WebhookSource } from "../../workers/index.ts";
import { makeEnvironment, post, send, type TestEnvironment, TestHost } from "./support.ts";

const CLASSES = { Environment, Repairs, ScheduleBook, SourceBook, WebhookSource };
const called: string[] = [];

const restores: (() => void)[] = [];

beforeEach(() => {
  called.length = 0;
  for (const [name, { prototype }] of Object.entries(CLASSES)) {
    for (const method of Object.getOwnPropertyNames(prototype)) {
      const original: unknown = Reflect.get(prototype, method);
      if (method === "constructor" || typeof original !== "function") continue;
      Reflect.set(prototype, method, function (this: object, ...args: unknown[]): unknown {
        called.push(`${name}.${method}`);
        return Reflect.apply(original, this, args);
      });
      restores.push(() => Reflect.set(prototype, method, original));
    }
  }
});

afterEach(() => {
  for (const restore of restores.splice(0)) restore();
});

/** Calls of each kind since the last time this was asked. */
function calls(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of called.splice(0)) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

async function scene(): Promise<{ live: TestEnvironment; host: TestHost }> {
  const live = await makeEnvironment("live");
  const host = await TestHost.listening(live.key, "starter", "paid");
  await host.settled();
  // Two calls, and acknowledgements of AUTHENTICATED and of the two answers.
  await vi.waitFor(() => expect(called.filter((name) => name.endsWith("webSocketMessage"))).toHaveLength(5));
  calls();
  return { live, host };
}

async function runOnce(live: TestEnvironment, host: TestHost, id: string): Promise<void> {
  await send(live.key, "paid", { amount: 5 }, id);
  const offer = await host.offer();
  expect([await host.start(offer.id), await host.complete(offer.id, { done: true })]).toEqual([true, true]);
}

describe("calls to objects", () => {
  it("cost one for an event and six frames for its run: three of the host, three acknowledgements", async () => {
    const { live, host } = await scene();
    for (let i = 1; i <= 5; i++) await runOnce(live, host, `e${i}`);
    await vi.waitFor(() => expect(called.filter((name) => name.endsWith("webSocketMessage"))).toHaveLength(30));
    expect(calls()).toEqual({ "Environment.postEvents": 5, "Environment.webSocketMessage": 30 });
  });

  it("cost one for many events in an array", async () => {
    const { live } = await scene();
    const events = Array.from({ length: 100 }, (_, i) => ({ id: `a${i}`, event: { name: "unheard", payload: i } }));
    expect((await post(live.key, "/api/v1/events", events)).status).toBe(200);
    expect(calls()).toEqual({ "Environment.postEvents": 1 });
  });

  it("cost none for a made-up key", async () => {
    await scene();
    await post("trigger_live_madeup", "/api/v1/events", { event: { name: "paid", payload: 1 } });
    expect(calls()).toEqual({});
  });
});

describe("frames sent", () => {
  it("amount to six for a run: the offer, two answers, three acknowledgements", async () => {
    const { live, host } = await scene();
    const before = [host.messages.length, host.acknowledged.size];
    for (let i = 1; i <= 5; i++) await runOnce(live, host, `e${i}`);
    await vi.waitFor(() => expect(host.acknowledged.size - (before[1] ?? 0)).toBe(15));
    expect(host.messages.length - (before[0] ?? 0)).toBe(15);
  });
});
