// Revocation is immediate and cheap: a refused key reaches its object at most once a minute, an object that was never
// provisioned or was deleted stays empty, and a push of the control plane takes effect at once (promise 5).
import { evictDurableObject } from "cloudflare:test";
import { afterEach, beforeAll, describe, expect, it, type MockInstance, vi } from "vitest";
import type { EnvironmentCalls, EnvironmentState } from "../../shared/contracts/environment.ts";
import { newEnvironmentId } from "../../shared/ids/ids.ts";
import { now } from "../../shared/kernel/clock.ts";
import { REFUSAL_REMEMBERED_MS } from "../../shared/kernel/limits.ts";
import {
  advanceClock,
  bindings,
  eventually,
  getJson,
  inside,
  makeEnvironment,
  makeKey,
  post,
  pushKeys,
  request,
  resetClock,
  rows,
  send,
  type TestEnvironment,
  TestHost,
  tables,
  withKey,
} from "./support.ts";

const CALLS = ["postEvents", "getRun", "listRuns", "listWorkflowRuns", "pageWorkflowRuns", "listWorkflows"] as const;
type Spied = EnvironmentCalls & { fetch(request: Request): Promise<Response> };

let spies: MockInstance<(...parameters: never[]) => unknown>[] = [];

/** Every call with a key that reached an object, since the last time this was asked. */
function callsToObjects(): number {
  const count = spies.reduce((sum, spy) => sum + spy.mock.calls.length, 0);
  for (const spy of spies) spy.mockClear();
  return count;
}

beforeAll(async () => {
  const { stub } = await makeEnvironment("live");
  // The objects of a test file run in its isolate, so their class can be observed.
  spies = await inside(stub, (_state, instance) => {
    let shell = Object.getPrototypeOf(instance) as Spied;
    while (!Object.hasOwn(shell, "listRuns")) shell = Object.getPrototypeOf(shell) as Spied;
    return [...CALLS.map((name) => vi.spyOn(shell, name)), vi.spyOn(shell, "fetch")] as typeof spies;
  });
  return () => vi.restoreAllMocks();
});

afterEach(() => {
  resetClock();
  callsToObjects();
});

/** An environment and one of its keys that was active and is revoked. */
async function revokedKey(): Promise<{ live: TestEnvironment; id: string; key: string }> {
  const live = await makeEnvironment("live");
  const { id, key } = await makeKey(live);
  await pushKeys(live, 2, [{ id: live.keyId }, { id }]);
  await send(key, "before");
  await pushKeys(live, 3, [{ id: live.keyId }]);
  callsToObjects();
  return { live, id, key };
}

/** Pushes a state from inside the object, where a rejection does not count as unhandled. Returns its message. */
function failureOfPush(stub: TestEnvironment["stub"], state: EnvironmentState): Promise<string | null> {
  return inside(stub, (_state, instance) =>
    instance.provision(state).then(
      () => null,
      (error: Error) => error.message,
    ),
  );
}

async function connect(key: string): Promise<{ code: number; messages: readonly string[] }> {
  const host = await TestHost.connect(key);
  const { code } = await host.closure();
  return { code, messages: host.messages };
}

describe("a revoked key", () => {
  it("reaches its object once in a thousand requests, and once more a minute later", async () => {
    const { key } = await revokedKey();
    for (let i = 0; i < 1_000; i++) {
      const response =
        i % 2 === 0
          ? await request("/api/v1/runs", withKey(key))
          : await post(key, "/api/v1/events", { event: { name: "a", payload: i } });
      if (response.status !== 401) throw new Error(`request ${i} was answered ${response.status}`);
      await response.text();
    }
    expect(callsToObjects()).toBe(1);

    advanceClock(REFUSAL_REMEMBERED_MS / 2);
    expect((await request("/api/v1/runs", withKey(key))).status).toBe(401);
    expect(callsToObjects()).toBe(0);
    advanceClock(REFUSAL_REMEMBERED_MS / 2);
    for (let i = 0; i < 100; i++) await request("/api/v1/runs", withKey(key));
    expect(callsToObjects()).toBe(1);
  });

  it("reaches its object once when its client tries again and again to connect", async () => {
    const { key } = await revokedKey();
    for (let i = 0; i < 50; i++) expect(await connect(key)).toEqual({ code: 4001, messages: [] });
    expect((await request("/api/v1/runs", withKey(key))).status).toBe(401);
    expect(callsToObjects()).toBe(1);
  });

  it("keeps out no other key of its environment, nor the key of its id in another environment", async () => {
    const { live, id, key } = await revokedKey();
    expect((await request("/api/v1/runs", withKey(key))).status).toBe(401);
    expect((await request("/api/v1/runs", withKey(live.key))).status).toBe(200);
    const other = await makeEnvironment("live");
    const sameId = await makeKey(other, id);
    await pushKeys(other, 2, [{ id }]);
    expect((await request("/api/v1/runs", withKey(sameId.key))).status).toBe(200);
  });

  it("stops working with the push, although it was used the moment before", async () => {
    const live = await makeEnvironment("live");
    expect((await request("/api/v1/runs", withKey(live.key))).status).toBe(200);
    await pushKeys(live, 2, []);
    for (const path of ["/api/v1/runs", "/api/v1/runs/run_1", "/api/v1/workflows", "/api/v1/workflows/a/runs"]) {
      expect((await request(path, withKey(live.key))).status).toBe(401);
    }
    expect((await post(live.key, "/api/v1/events", { event: { name: "a", payload: 1 } })).status).toBe(401);
    expect(await rows(live, "SELECT id FROM events")).toEqual([]);
    await evictDurableObject(live.stub);
    advanceClock(REFUSAL_REMEMBERED_MS);
    expect((await request("/api/v1/runs", withKey(live.key))).status).toBe(401);
  });
});

describe("the open sockets of a revoked key", () => {
  it("get 4001, and those of another key stay and work", async () => {
    const live = await makeEnvironment("live");
    const other = await makeKey(live);
    await pushKeys(live, 2, [{ id: live.keyId }, { id: other.id }]);
    const revoked = await TestHost.listening(live.key, "one", "one");
    const unregistered = await TestHost.connect(live.key);
    const kept = await TestHost.listening(other.key, "two", "two");
    await pushKeys(live, 3, [{ id: other.id }]);
    expect(await revoked.closure()).toMatchObject({ code: 4001, reason: expect.stringContaining("revoked") });
    expect(await unregistered.closure()).toMatchObject({ code: 4001 });
    await send(other.key, "two");
    const offer = await kept.offer();
    expect([await kept.start(offer.id), await kept.complete(offer.id)]).toEqual([true, true]);
    expect(await connect(live.key)).toEqual({ code: 4001, messages: [] });
  });

  it("get 4001 even if the object had hibernated", async () => {
    const live = await makeEnvironment("live");
    const host = await TestHost.listening(live.key, "one", "one");
    await evictDurableObject(live.stub, { webSockets: "hibernate" });
    await pushKeys(live, 2, []);
    expect(await host.closure()).toMatchObject({ code: 4001 });
  });

  it("get 4001 when the key lost the scope to connect", async () => {
    const live = await makeEnvironment("live");
    const host = await TestHost.listening(live.key, "one", "one");
    await pushKeys(live, 2, [{ id: live.keyId, scopes: ["events:send"] }]);
    expect(await host.closure()).toMatchObject({ code: 4001 });
  });

  it("do nothing from the push on, even if their hosts have not answered the close", async () => {
    const live = await makeEnvironment("live");
    const other = await makeKey(live);
    await pushKeys(live, 2, [{ id: live.keyId }, { id: other.id }]);
    const host = await TestHost.listening(live.key, "one", "one");
    await send(other.key, "one");
    const { id: runId } = await host.offer();
    await host.start(runId);
    // In one turn of the object: the push, a frame of the host, and an event for its workflow.
    const event = {
      id: "e2",
      name: "one",
      payload: "2",
      context: null,
      timestamp: null,
      delay: null,
      digest: new Uint8Array(16),
    };
    const posted = await inside(live.stub, async (state, instance) => {
      const [socket] = state.getWebSockets();
      if (!socket) throw new Error("no socket");
      const call = { id: "late", kind: "CALL", methodName: "COMPLETE_WORKFLOW_RUN", data: { runId, output: "1" } };
      const frame = JSON.stringify({ type: "MESSAGE", id: "late", data: JSON.stringify(call) });
      const pushed = instance.provision({
        ...live.state,
        revision: 3,
        keys: [{ id: other.id, scopes: [], expiresAt: null }],
      });
      const received = instance.webSocketMessage(socket, frame);
      const [answer] = await Promise.all([instance.postEvents(other.id, [event]), pushed, received]);
      return answer;
    });
    expect(posted).toMatchObject({ ok: true, value: [{ outcome: "accepted" }] });
    expect(await host.closure()).toMatchObject({ code: 4001 });
    await eventually(async () => {
      const { data } = await getJson<{ data: { status: string }[] }>(other.key, "/api/v1/runs");
      expect(data.map(({ status }) => status)).toEqual(["PENDING", "DISCONNECTED"]);
    });
    expect(host.offersWaiting()).toBe(0);

    const next = await TestHost.listening(other.key, "one", "one");
    expect((await next.offers(2)).length).toBe(2);
  });
});

describe("a key that expires", () => {
  it("stops working at that moment", async () => {
    const live = await makeEnvironment("live");
    await pushKeys(live, 2, [{ id: live.keyId, expiresAt: now() + 60_000 }]);
    expect((await request("/api/v1/runs", withKey(live.key))).status).toBe(200);
    advanceClock(61_000);
    expect((await request("/api/v1/runs", withKey(live.key))).status).toBe(401);
  });

  it("closes its open sockets", async () => {
    const live = await makeEnvironment("live");
    await pushKeys(live, 2, [{ id: live.keyId, expiresAt: now() + 60_000 }]);
    const host = await TestHost.listening(live.key, "one", "one");
    advanceClock(61_000);
    await live.stub.clockMoved();
    expect(await host.closure()).toMatchObject({ code: 4001 });
    expect(await connect(live.key)).toEqual({ code: 4001, messages: [] });
  });
});

describe("a push", () => {
  it("changes nothing if it is no newer than the stored state", async () => {
    const live = await makeEnvironment("live");
    const other = await makeKey(live);
    const host = await TestHost.listening(live.key, "one", "one");
    expect(await pushKeys(live, 5, [{ id: live.keyId }])).toEqual({ revision: 5 });
    for (const revision of [1, 4, 5])
      expect(await pushKeys(live, revision, [{ id: other.id }])).toEqual({ revision: 5 });
    expect((await request("/api/v1/runs", withKey(live.key))).status).toBe(200);
    expect((await request("/api/v1/runs", withKey(other.key))).status).toBe(401);
    await host.settled();
    expect(host.closed).toBe(null);
    expect(await rows(live, "SELECT id FROM keys")).toEqual([{ id: live.keyId }]);
  });

  it("leaves the environment as it was when it cannot be stored, and the next one is accepted", async () => {
    const live = await makeEnvironment("live");
    const [twice, other] = await Promise.all([makeKey(live), makeKey(live)]);
    const key = { id: twice.id, scopes: [], expiresAt: null };
    expect(await failureOfPush(live.stub, { ...live.state, revision: 2, keys: [key, key] })).not.toBe(null);
    expect((await request("/api/v1/runs", withKey(live.key))).status).toBe(200);
    expect(await pushKeys(live, 3, [{ id: other.id }])).toEqual({ revision: 3 });
    expect((await request("/api/v1/runs", withKey(other.key))).status).toBe(200);
  });

  it("makes room for a correct one when it cannot be stored as the first, even after an eviction", async () => {
    const { state } = await makeEnvironment("live");
    const id = newEnvironmentId();
    const first = { ...state, environment: { id, slug: "live" } };
    const stub = bindings.ENVIRONMENT.getByName(id);
    expect(await failureOfPush(stub, { ...first, keys: [...state.keys, ...state.keys] })).not.toBe(null);
    await evictDurableObject(stub);
    expect(await failureOfPush(bindings.ENVIRONMENT.getByName(id), first)).toBe(null);
  });
});

describe("an object that was never provisioned", () => {
  it("stays empty after requests and WebSockets with a genuine key", async () => {
    const environment = { id: newEnvironmentId(), slug: "live" };
    const stub = bindings.ENVIRONMENT.getByName(environment.id);
    const [one, two, three] = await Promise.all([makeKey(environment), makeKey(environment), makeKey(environment)]);
    expect((await post(one.key, "/api/v1/events", { event: { name: "a", payload: 1 } })).status).toBe(401);
    expect((await request("/api/v1/runs", withKey(two.key))).status).toBe(401);
    expect(await connect(three.key)).toEqual({ code: 4001, messages: [] });
    expect(callsToObjects()).toBe(3);
    await stub.clockMoved();
    expect(await tables(stub)).toEqual([]);
    expect(await inside(stub, ({ storage }) => storage.getAlarm())).toBe(null);
    await evictDurableObject(stub);
    expect(await tables(bindings.ENVIRONMENT.getByName(environment.id))).toEqual([]);
  });
});

describe("a deleted environment", () => {
  it("keeps one row as a mark, closes its sockets, and refuses for ever", async () => {
    const live = await makeEnvironment("live");
    const host = await TestHost.listening(live.key, "one", "one");
    const unused = await makeKey(live);
    await pushKeys(live, 2, [{ id: live.keyId }, { id: unused.id }]);
    await send(live.key, "one");
    await post(live.key, "/api/v1/events", { event: { name: "one", payload: 1, delay: { hours: 1 } } });
    await live.stub.deprovision();
    expect(await host.closure()).toMatchObject({ code: 4001 });

    const stub = () => bindings.ENVIRONMENT.getByName(live.id);
    const check = async () => {
      advanceClock(REFUSAL_REMEMBERED_MS);
      expect((await request("/api/v1/runs", withKey(live.key))).status).toBe(401);
      expect((await post(unused.key, "/api/v1/events", { event: { name: "one", payload: 1 } })).status).toBe(401);
      expect(await connect(unused.key)).toEqual({ code: 4001, messages: [] });
      expect(await failureOfPush(stub(), { ...live.state, revision: 99 })).toContain("deleted");
      expect(await tables(stub())).toEqual(["deleted"]);
      expect(await rows({ stub: stub() }, "SELECT count(*) AS n FROM deleted")).toEqual([{ n: 1 }]);
      expect(await inside(stub(), ({ storage }) => storage.getAlarm())).toBe(null);
    };
    await check();
    await evictDurableObject(stub());
    await check();
  });

  it("ends once, however often its deletion is asked for", async () => {
    const live = await makeEnvironment("live");
    await live.stub.deprovision();
    const first = await rows(live, "SELECT at FROM deleted");
    await live.stub.deprovision();
    expect(await rows(live, "SELECT at FROM deleted")).toHaveLength(first.length);
    expect(await tables(live.stub)).toEqual(["deleted"]);
  });
});
