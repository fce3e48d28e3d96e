// Distribution of runs to hosts: the oldest run first, to the host with the fewest in flight, each run to one host at a
// time. The runs of a lost host go to another, or wait. A hibernation forgets none of this.
import { evictDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { HOST_MAX_RUNNING } from "../../shared/kernel/limits.ts";
import {
  eventually,
  getJson,
  inside,
  makeEnvironment,
  post,
  registration,
  request,
  rows,
  send,
  type TestEnvironment,
  TestHost,
  withKey,
} from "./support.ts";

interface Shown {
  readonly status: string;
  readonly attempts: number;
  readonly output?: unknown;
  readonly tasks: { readonly type: string }[];
}

const shown = (live: TestEnvironment, id: string): Promise<Shown> => getJson(live.key, `/api/v1/runs/${id}`);

/** Posts this many events in one call and returns the ids of their runs, in order. */
async function sendMany({ key }: TestEnvironment, count: number): Promise<string[]> {
  const events = Array.from({ length: count }, (_, i) => ({ event: { name: "paid", payload: i } }));
  const items = (await (await post(key, "/api/v1/events", events)).json()) as { runs: { id: string }[] }[];
  return items.flatMap(({ runs }) => runs.map(({ id }) => id));
}

/** The runs offered to a host and not yet taken by the test, in order. */
const offeredTo = (host: TestHost): string[] =>
  host.received.filter(({ methodName }) => methodName === "TRIGGER_WORKFLOW").map(({ data }) => String(data.id));

/** Waits until the router counts this many hosts of the workflow. */
async function untilHosts(live: TestEnvironment, count: number): Promise<void> {
  await eventually(async () => {
    const { data } = await getJson<{ data: { hosts: unknown[] }[] }>(live.key, "/api/v1/workflows");
    expect(data[0]?.hosts).toHaveLength(count);
  });
}

async function complete(host: TestHost, id: string): Promise<void> {
  expect([await host.start(id), await host.complete(id, id)]).toEqual([true, true]);
}

describe("several hosts of a workflow", () => {
  it("share its runs evenly, each run with one of them", async () => {
    const live = await makeEnvironment("live");
    const hosts = [
      await TestHost.listening(live.key, "starter", "paid"),
      await TestHost.listening(live.key, "starter", "paid"),
      await TestHost.listening(live.key, "starter", "paid"),
    ];
    const ids = await sendMany(live, 30);
    await Promise.all(hosts.map((host) => host.settled()));
    expect(hosts.map((host) => offeredTo(host).length)).toEqual([10, 10, 10]);
    expect(hosts.flatMap(offeredTo).sort()).toEqual([...ids].sort());
  });

  it("get the next run when they have the fewest in flight", async () => {
    const live = await makeEnvironment("live");
    const busy = await TestHost.listening(live.key, "starter", "paid");
    await sendMany(live, 5);
    const taken = await busy.offers(5);
    const idle = await TestHost.listening(live.key, "starter", "paid");
    await sendMany(live, 4);
    expect(await idle.offers(4)).toHaveLength(4);
    await busy.settled();
    expect(busy.offersWaiting()).toBe(0);
    for (const id of taken.slice(0, 3)) await complete(busy, id);
    await sendMany(live, 2);
    expect(await busy.offers(2)).toHaveLength(2);
  });

  it("get no runs of another workflow", async () => {
    const live = await makeEnvironment("live");
    const host = await TestHost.listening(live.key, "starter", "paid");
    const other = await TestHost.listening(live.key, "other", "refunded");
    await sendMany(live, 3);
    await host.offers(3);
    await other.settled();
    expect(other.offersWaiting()).toBe(0);
  });
});

describe("a host", () => {
  it("holds at most 100 runs at a time, and gets the oldest waiting run for each that ends", async () => {
    const live = await makeEnvironment("live");
    const host = await TestHost.listening(live.key, "starter", "paid");
    const ids = await sendMany(live, HOST_MAX_RUNNING + 30);
    const first = await host.offers(HOST_MAX_RUNNING);
    expect(first).toEqual(ids.slice(0, HOST_MAX_RUNNING));
    await host.settled();
    expect(host.offersWaiting()).toBe(0);
    for (const [i, id] of first.slice(0, 3).entries()) {
      await host.start(id);
      expect(host.offersWaiting()).toBe(0);
      await host.complete(id, i);
      expect((await host.offer()).id).toBe(ids[HOST_MAX_RUNNING + i]);
    }
    await host.call("SEND_WORKFLOW_ERROR", { runId: first[3], error: {} });
    expect((await host.offer()).id).toBe(ids[HOST_MAX_RUNNING + 3]);
    expect(await shown(live, ids.at(-1) ?? "")).toMatchObject({ status: "PENDING", attempts: 0 });
  });

  it("completes more runs than it can hold, in order, each once", async () => {
    const live = await makeEnvironment("live");
    (await TestHost.listening(live.key, "starter", "paid")).socket.close(1000);
    await untilHosts(live, 0);
    const ids = [...(await sendMany(live, 500)), ...(await sendMany(live, 250))];
    expect(ids).toHaveLength(750);
    const host = await TestHost.listening(live.key, "starter", "paid");
    for (const id of ids) {
      const offer = await host.offer();
      expect(offer.id).toBe(id);
      await host.start(id);
      await host.complete(id);
    }
    await host.settled();
    expect(host.offersWaiting()).toBe(0);
    expect(await rows(live, "SELECT status, count(*) AS n FROM runs GROUP BY status")).toEqual([
      { status: "SUCCESS", n: 750 },
    ]);
  }, 30_000);

  it("gets no run twice while it holds it, whatever else happens", async () => {
    const live = await makeEnvironment("live");
    const host = await TestHost.listening(live.key, "starter", "paid");
    const ids = await sendMany(live, 3);
    await host.offers(3);
    const other = await TestHost.listening(live.key, "starter", "paid");
    const more = await sendMany(live, 2);
    await other.offers(2);
    other.socket.close(1000);
    await host.offers(2);
    await live.stub.clockMoved();
    await send(live.key, "paid");
    const last = (await host.offer()).id;
    await host.settled();
    expect(host.offersWaiting()).toBe(0);
    for (const id of [...ids, ...more, last]) await complete(host, id);
  });
});

describe("runs that wait for a host", () => {
  it("stay PENDING, and go to the first host that appears, in order", async () => {
    const live = await makeEnvironment("live");
    const gone = await TestHost.listening(live.key, "starter", "paid");
    gone.socket.close(1000);
    await untilHosts(live, 0);
    const ids = await sendMany(live, 20);
    for (const id of ids) expect(await shown(live, id)).toMatchObject({ status: "PENDING", attempts: 0 });
    const host = await TestHost.listening(live.key, "starter", "paid");
    const taken = await host.offers(20);
    expect(taken).toEqual(ids);
    for (const id of taken) await complete(host, id);
    expect(await shown(live, taken[0] ?? "")).toMatchObject({ status: "SUCCESS", attempts: 1, output: taken[0] });
  });

  it("follow the answer to the registration, which the client must know first", async () => {
    const live = await makeEnvironment("live");
    (await TestHost.listening(live.key, "starter", "paid")).socket.close(1000);
    await untilHosts(live, 0);
    await send(live.key, "paid");
    const host = await TestHost.listening(live.key, "starter", "paid");
    await host.offer();
    const methods = host.messages.slice(1).map((message) => (JSON.parse(message) as { methodName: string }).methodName);
    expect(methods).toEqual(["INITIALIZE_HOST_V2", "TRIGGER_WORKFLOW"]);
  });

  it("survive an eviction of the object", async () => {
    const live = await makeEnvironment("live");
    (await TestHost.listening(live.key, "starter", "paid")).socket.close(1000);
    await untilHosts(live, 0);
    const ids = await sendMany(live, 5);
    await evictDurableObject(live.stub);
    const host = await TestHost.listening(live.key, "starter", "paid");
    expect(await host.offers(5)).toEqual(ids);
  });

  it("pass by a connection that has not registered", async () => {
    const live = await makeEnvironment("live");
    (await TestHost.listening(live.key, "starter", "paid")).socket.close(1000);
    await untilHosts(live, 0);
    await send(live.key, "paid");
    const host = await TestHost.connect(live.key);
    await host.settled();
    expect(host.offersWaiting()).toBe(0);
  });
});

describe("a host that is lost", () => {
  it("leaves its runs to another, started or not; started ones count an attempt", async () => {
    const live = await makeEnvironment("live");
    const lost = await TestHost.listening(live.key, "starter", "paid");
    const ids = await sendMany(live, 3);
    await lost.until(({ methodName }) => methodName === "TRIGGER_WORKFLOW"); // Never answered.
    await lost.offer(); // Answered, not started.
    const started = (await lost.offer()).id;
    await lost.start(started);
    const other = await TestHost.listening(live.key, "starter", "paid");
    await other.settled();
    expect(other.offersWaiting()).toBe(0);

    lost.socket.close(1001, "going away");
    const offers = [await other.offer(), await other.offer(), await other.offer()];
    expect(offers.map(({ id }) => id).sort()).toEqual([...ids].sort());
    for (const { id, meta } of offers) {
      expect(meta.attempt).toBe(id === started ? 1 : 0);
      await complete(other, id);
      expect(await shown(live, id)).toMatchObject({ status: "SUCCESS", attempts: id === started ? 2 : 1 });
    }
    expect((await shown(live, started)).tasks.map(({ type }) => type)).toEqual(["DISCONNECTION"]);
  });

  it("leaves its runs to the next host: started ones are DISCONNECTED meanwhile, the others PENDING", async () => {
    const live = await makeEnvironment("live");
    const lost = await TestHost.listening(live.key, "starter", "paid");
    const ids = await sendMany(live, 2);
    await lost.start((await lost.offer()).id);
    lost.socket.close(1000);
    await untilHosts(live, 0);
    await eventually(async () =>
      expect(await shown(live, ids[0] ?? "")).toMatchObject({ status: "DISCONNECTED", attempts: 1 }),
    );
    expect(await shown(live, ids[1] ?? "")).toMatchObject({ status: "PENDING", attempts: 0 });
    const next = await TestHost.listening(live.key, "starter", "paid");
    expect((await next.offers(2)).sort()).toEqual([...ids].sort());
  });

  it("leaves more runs than another host can take to wait their turn", async () => {
    const live = await makeEnvironment("live");
    const lost = await TestHost.listening(live.key, "starter", "paid");
    const other = await TestHost.listening(live.key, "starter", "paid");
    await sendMany(live, 160);
    await Promise.all([lost.settled(), other.settled()]);
    expect([lost.offersWaiting(), other.offersWaiting()]).toEqual([80, 80]);
    lost.socket.close(1000);
    const held = await other.offers(HOST_MAX_RUNNING);
    await other.settled();
    expect(other.offersWaiting()).toBe(0);
    for (const id of held) await complete(other, id);
    for (const id of await other.offers(60)) await complete(other, id);
    expect(await rows(live, "SELECT status, count(*) AS n FROM runs GROUP BY status")).toEqual([
      { status: "SUCCESS", n: 160 },
    ]);
  }, 15_000);

  it("leaves its runs without a close too, when its socket is evicted", async () => {
    const live = await makeEnvironment("live");
    const lost = await TestHost.listening(live.key, "starter", "paid");
    const [id] = await sendMany(live, 1);
    await lost.offer();
    await evictDurableObject(live.stub, { webSockets: "close" });
    const next = await TestHost.listening(live.key, "starter", "paid");
    expect((await next.offer()).id).toBe(id);
  });

  it("keeps a run it completed just before: ended in its first attempt, without a loss", async () => {
    const live = await makeEnvironment("live");
    const host = await TestHost.listening(live.key, "starter", "paid");
    await send(live.key, "paid");
    const { id } = await host.offer();
    await host.start(id);
    host.send({ id: "last", kind: "CALL", methodName: "COMPLETE_WORKFLOW_RUN", data: { runId: id, output: "5" } });
    host.socket.close(1000);
    await eventually(async () => expect(await shown(live, id)).toMatchObject({ status: "SUCCESS" }));
    await untilHosts(live, 0);
    const run = await shown(live, id);
    expect(run).toMatchObject({ status: "SUCCESS", output: 5, attempts: 1, startedAt: expect.any(String) });
    expect(run.tasks).toEqual([]);
  });

  it.each([1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1011, 1012, 1015, 3000, 4999])(
    "counts as lost whatever code its close bears: %i",
    async (code) => {
      const live = await makeEnvironment("live");
      await TestHost.listening(live.key, "starter", "paid");
      const failed = await inside(live.stub, async (state, instance) => {
        const [socket] = state.getWebSockets();
        if (!socket) throw new Error("no socket");
        return instance.webSocketClose(socket, code, "é€😀".repeat(13)).then(() => null, String);
      });
      expect(failed).toBe(null);
      await untilHosts(live, 0);
    },
  );
});

describe("after a hibernation", () => {
  it("keeps a host's runs its own, and accepts their end", async () => {
    const live = await makeEnvironment("live");
    const host = await TestHost.listening(live.key, "starter", "paid");
    await sendMany(live, 2);
    const [answered, started] = [await host.offer(), await host.offer()];
    await host.start(started.id);
    await evictDurableObject(live.stub, { webSockets: "hibernate" });

    expect(await shown(live, started.id)).toMatchObject({ status: "RUNNING", attempts: 1 });
    expect(await shown(live, answered.id)).toMatchObject({ status: "PENDING" });
    const other = await TestHost.listening(live.key, "starter", "paid");
    await other.settled();
    expect(other.offersWaiting()).toBe(0);
    for (const id of [started.id, answered.id]) {
      await host.start(id);
      expect(await host.complete(id, id)).toBe(true);
      expect(await shown(live, id)).toMatchObject({ status: "SUCCESS", attempts: 1, output: id });
    }
    await host.settled();
    expect([host.offersWaiting(), other.offersWaiting()]).toEqual([0, 0]);
  });

  it("keeps a host with 100 runs full, and the loss of a host leaves its runs to others", async () => {
    const live = await makeEnvironment("live");
    const host = await TestHost.listening(live.key, "starter", "paid");
    const ids = await sendMany(live, HOST_MAX_RUNNING + 1);
    await host.offers(HOST_MAX_RUNNING);
    await evictDurableObject(live.stub, { webSockets: "hibernate" });
    await send(live.key, "paid");
    await host.settled();
    expect(host.offersWaiting()).toBe(0);
    host.socket.close(1000);
    const next = await TestHost.listening(live.key, "starter", "paid");
    expect((await next.offers(HOST_MAX_RUNNING)).sort()).toEqual(ids.slice(0, HOST_MAX_RUNNING).sort());
  });

  it("sends a new event to its host, and ctx.apiKey is still the key of the connection", async () => {
    const live = await makeEnvironment("live");
    const host = await TestHost.listening(live.key, "starter", "paid");
    await evictDurableObject(live.stub, { webSockets: "hibernate" });
    await send(live.key, "paid", { after: true });
    expect(await host.offer()).toMatchObject({
      input: { after: true },
      meta: { apiKey: live.key, environment: "live", workflowId: "starter" },
    });
    expect((await request("/api/v1/workflows", withKey(live.key))).status).toBe(200);
  });
});

it("gives a process that registers again its runs on the new connection, and nothing more on the old one", async () => {
  const live = await makeEnvironment("live");
  const old = await TestHost.listening(live.key, "starter", "paid");
  old.socket.close(1000);
  await old.closure();
  const connect = async (): Promise<TestHost> => {
    const host = await TestHost.connect(live.key);
    const trigger = { type: "CUSTOM_EVENT", service: "trigger", name: "paid", filter: { event: ["paid"] } };
    const announced = {
      workflowId: "starter",
      workflowName: "starter",
      trigger,
      packageName: "a",
      packageVersion: "1",
    };
    expect(await host.call("INITIALIZE_HOST_V2", announced, "the-same-process")).toMatchObject({ type: "success" });
    return host;
  };
  const stale = await connect();
  const [held] = await sendMany(live, 1);
  await stale.start((await stale.offer()).id);
  const current = await connect();
  expect((await current.offer()).id).toBe(held);
  await sendMany(live, 4);
  await current.offers(4);
  await stale.settled();
  expect(stale.offersWaiting()).toBe(0);
  expect(stale.closed).toBe(null);
});

it("offers nothing over the superseded sockets of a process after a hibernation", async () => {
  const live = await makeEnvironment("live");
  const connect = async (): Promise<TestHost> => {
    const host = await TestHost.connect(live.key);
    const announced = registration("starter", "paid", { event: ["paid"] });
    expect(await host.call("INITIALIZE_HOST_V2", announced, "the-same-process")).toMatchObject({ type: "success" });
    return host;
  };
  const standings = async (): Promise<string[]> => {
    const { data } = await getJson<{ data: { hosts: { standing: string }[] }[] }>(live.key, "/api/v1/workflows");
    return (data[0]?.hosts ?? []).map(({ standing }) => standing).sort();
  };
  const first = await connect();
  // A paused workflow is not searched for waiting runs, so no search has the attachments written.
  await live.stub.changeWorkflow(live.keyId, "starter", "pause");
  const second = await connect();
  const third = await connect();
  expect(await standings()).toEqual(["serving", "superseded", "superseded"]);

  await evictDurableObject(live.stub, { webSockets: "hibernate" });
  expect(await standings()).toEqual(["serving", "superseded", "superseded"]);
  await live.stub.changeWorkflow(live.keyId, "starter", "resume");
  await sendMany(live, 4);
  await third.offers(4);
  await Promise.all([first.settled(), second.settled()]);
  expect([first.offersWaiting(), second.offersWaiting()]).toEqual([0, 0]);
});
