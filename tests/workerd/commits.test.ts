// Group commit: operations that share one write to disk fail alone, and a failing one leaves no trace outside.
import { afterEach, describe, expect, it, vi } from "vitest";
import type { NewEvent } from "../../shared/api/events.ts";
import { ROW_MAX_BYTES } from "../../shared/kernel/limits.ts";
import { setLogLevel } from "../../shared/kernel/log.ts";
import {
  eventually,
  getJson,
  injectBug,
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

afterEach(() => {
  vi.restoreAllMocks();
});

const newEvent = (id: string, payload: unknown = {}, name = "paid"): NewEvent => ({
  id,
  name,
  payload: JSON.stringify(payload),
  context: null,
  timestamp: null,
  delay: null,
  digest: new TextEncoder().encode(JSON.stringify(payload).slice(0, 16).padEnd(16)),
});

/** Counts the object's transactions, nested ones left out. */
async function countCommits({ stub }: TestEnvironment): Promise<() => Promise<number>> {
  let depth = 0;
  let commits = 0;
  await inside(stub, ({ storage }) => {
    const transactionSync = storage.transactionSync.bind(storage);
    storage.transactionSync = (work) => {
      if (depth === 0) commits++;
      depth++;
      try {
        return transactionSync(work);
      } finally {
        depth--;
      }
    };
  });
  return async () => commits;
}

/** The data of the runs offered to a host. */
function offered(host: TestHost): { id: string; input: unknown }[] {
  return host.received
    .filter(({ methodName }) => methodName === "TRIGGER_WORKFLOW")
    .map(({ data }) => ({
      id: String(data.id),
      input: (data as unknown as { trigger: { input: unknown } }).trigger.input,
    }));
}

describe("100 operations that share a commit", () => {
  it("fail alone where they fail (too large, a conflict, a bug), and no host hears of those runs", async () => {
    const live = await makeEnvironment("live");
    const host = await TestHost.listening(live.key, "starter", "paid");
    const bystander = await TestHost.listening(live.key, "bystander", "paid");
    await live.stub.postEvents(live.keyId, [newEvent("known", "first", "other")]);
    await injectBug(live, (query, values) => query.includes("INSERT INTO events") && values.includes("bug"));
    const commits = await countCommits(live);

    const events = Array.from({ length: 100 }, (_, i) => newEvent(`e${i}`, { i }));
    events[7] = newEvent("large", "x".repeat(ROW_MAX_BYTES));
    events[50] = newEvent("known", "second");
    events[98] = newEvent("bug");
    const posted = await inside(live.stub, (_state, instance) =>
      Promise.all(events.map((event) => instance.postEvents(live.keyId, [event]))),
    );
    expect(await commits()).toBe(1);

    const outcomes = posted.map((answer) => (answer.ok ? answer.value[0]?.outcome : answer.refused));
    const failed = new Map([
      [7, "too large"],
      [50, "conflict"],
      [98, "failed"],
    ]);
    expect(outcomes).toEqual(events.map((_, i) => failed.get(i) ?? "accepted"));

    const expected = events.flatMap((_, i) => (failed.has(i) ? [] : [{ i }]));
    const stored = await rows<{ payload: string }>(live, "SELECT payload FROM events WHERE name = 'paid' ORDER BY id");
    expect(stored.map(({ payload }) => JSON.parse(payload))).toEqual(expected);
    expect(await rows(live, "SELECT count(*) AS n FROM runs")).toEqual([{ n: 2 * 97 }]);
    for (const each of [host, bystander]) {
      await each.settled();
      expect(offered(each).map(({ input }) => input)).toEqual(expected);
      for (const { id } of offered(each))
        expect((await request(`/api/v1/runs/${id}`, withKey(live.key))).status).toBe(200);
    }
    await live.stub.postEvents(live.keyId, [newEvent("after")]);
    await host.until(({ data }) => (data as { trigger?: unknown }).trigger !== undefined);
  });

  it("answer the other requesters when the first one has gone", async () => {
    const live = await makeEnvironment("live");
    const host = await TestHost.listening(live.key, "starter", "paid");
    // The disk is busy for long enough that all requests surely share the next commit.
    let opened = 0;
    await inside(live.stub, ({ storage }) => {
      storage.sync = () => {
        opened++;
        return new Promise((resolve) => setTimeout(resolve, 200));
      };
    });
    const gone = new AbortController();
    const body = JSON.stringify({ id: "first", event: { name: "paid", payload: 0 } });
    const first = request("/api/v1/events", withKey(live.key, { method: "POST", body, signal: gone.signal })).then(
      (response) => response.status,
      (error: Error) => error.name,
    );
    await eventually(() => expect(opened).toBe(1));
    const others = Array.from({ length: 20 }, (_, i) =>
      post(live.key, "/api/v1/events", { id: `e${i}`, event: { name: "paid", payload: i } }),
    );
    gone.abort();
    expect(await first).toBe("AbortError");
    expect((await Promise.all(others)).map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    expect(await rows(live, "SELECT count(*) AS n FROM events")).toEqual([{ n: 21 }]);
    expect(await host.offers(21)).toHaveLength(21);
    expect(opened).toBe(1);
  });
});

describe("an operation that fails", () => {
  /**
   * Makes a call and returns its answer, if one has come by the answer to the next call; a failed call may get none.
   */
  async function attempt(host: TestHost, methodName: string, data: unknown): Promise<unknown> {
    const id = crypto.randomUUID();
    host.send({ id, kind: "CALL", methodName, data });
    await host.settled();
    return host.received.find((message) => message.kind === "RESPONSE" && message.id === id)?.data;
  }
  const completion = (runId: string, output: unknown) => ({ runId, output: JSON.stringify(output) });

  async function running(): Promise<{ live: TestEnvironment; host: TestHost; id: string }> {
    const live = await makeEnvironment("live");
    const host = await TestHost.listening(live.key, "starter", "paid");
    await send(live.key, "paid");
    const { id } = await host.offer();
    await host.start(id);
    return { live, host, id };
  }

  it("rolls back its writes and answers no true; the run stays with its host and can be completed", async () => {
    const { live, host, id } = await running();
    let broken = true;
    await injectBug(live, (query) => broken && query.includes("UPDATE runs SET status"));
    expect(await attempt(host, "COMPLETE_WORKFLOW_RUN", completion(id, 1))).not.toBe(true);
    expect(await getJson(live.key, `/api/v1/runs/${id}`)).toMatchObject({ status: "RUNNING", attempts: 1 });
    broken = false;
    expect(await host.complete(id, 2)).toBe(true);
    expect(await getJson(live.key, `/api/v1/runs/${id}`)).toMatchObject({ status: "SUCCESS", output: 2 });
  });

  it("keeps the logs that shared its commit, and those are answered true", async () => {
    const { live, host, id } = await running();
    await injectBug(
      live,
      (query, values) => query.includes("INSERT INTO steps") && values.some((v) => String(v).includes("poison")),
    );
    const log = (message: string) => ({ runId: id, key: message, log: { message, level: "INFO" } });
    const answers = await Promise.all([
      host.call("SEND_LOG", log("a")),
      attempt(host, "SEND_LOG", log("poison")),
      host.call("SEND_LOG", log("b")),
    ]);
    expect(answers.map((answer) => answer === true)).toEqual([true, false, true]);
    const { tasks } = await getJson<{ tasks: { message: string }[] }>(live.key, `/api/v1/runs/${id}`);
    expect(tasks.map(({ message }) => message)).toEqual(["a", "b"]);
  });

  it("leaves no transition in the router's log", async () => {
    const { live, host, id } = await running();
    let broken = true;
    await injectBug(live, (query) => broken && query.includes("UPDATE runs SET status"));
    const lines: string[] = [];
    vi.spyOn(console, "log").mockImplementation((line) => void lines.push(String(line)));
    const ends = () => lines.filter((line) => line.includes(id) && line.includes("SUCCESS")).length;
    setLogLevel("info");
    expect(await attempt(host, "COMPLETE_WORKFLOW_RUN", completion(id, 1))).not.toBe(true);
    expect(ends()).toBe(0);
    broken = false;
    expect([await host.complete(id, 1), ends()]).toEqual([true, 1]);
  });

  it("leaves the definition in force as it was, in memory too, when it is a registration", async () => {
    const live = await makeEnvironment("live");
    await TestHost.listening(live.key, "starter", "old");
    let broken = true;
    await injectBug(live, (query) => broken && query.includes("DELETE FROM refused_registrations"));
    const newer = await TestHost.connect(live.key);
    const announced = registration("starter", "new", { event: ["new"] });
    expect(await attempt(newer, "INITIALIZE_HOST_V2", announced)).not.toMatchObject({ type: "success" });
    expect((await send(live.key, "new")).runs).toEqual([]);
    expect((await send(live.key, "old")).runs).toHaveLength(1);
    const { data } = await getJson<{ data: unknown[] }>(live.key, "/api/v1/workflows");
    expect(data).toMatchObject([{ slug: "starter", version: 1, trigger: { name: "old" } }]);
    broken = false;
    expect(await newer.call("INITIALIZE_HOST_V2", announced)).toMatchObject({ type: "success" });
    expect((await send(live.key, "new")).runs).toHaveLength(1);
  });

  it("leaves no offered run behind when it fails during the offers", async () => {
    const live = await makeEnvironment("live");
    const host = await TestHost.listening(live.key, "starter", "paid");
    let reads = 0;
    await injectBug(live, (query) => query.includes("SELECT payload, context FROM events") && ++reads === 2);
    const answer = await live.stub.postEvents(live.keyId, [newEvent("a"), newEvent("b"), newEvent("c")]);
    expect(answer).toMatchObject({
      ok: true,
      value: [{ outcome: "accepted" }, { outcome: "accepted" }, { outcome: "accepted" }],
    });
    await live.stub.postEvents(live.keyId, [newEvent("d")]);
    await host.settled();
    const stored = await rows<{ n: number }>(live, "SELECT count(*) AS n FROM runs");
    expect(stored).toEqual([{ n: 4 }]);
    expect(offered(host)).toHaveLength(4);
  });
});

describe("a frame that cannot be sent", () => {
  /** Breaks one host's socket, then posts events in one commit: for that host, for another one, and for nobody. */
  async function postingWith(spoil: (socket: WebSocket) => void): Promise<void> {
    const live = await makeEnvironment("live");
    await TestHost.listening(live.key, "spoiled", "paid");
    await inside(live.stub, (state) => state.getWebSockets().forEach(spoil));
    const other = await TestHost.listening(live.key, "other", "paid");
    const answers = await inside(live.stub, (_state, instance) => {
      const events = [newEvent("a"), newEvent("b", {}, "nobody"), newEvent("c")];
      return Promise.all(events.map((event) => instance.postEvents(live.keyId, [event])));
    });
    expect(answers).toMatchObject(Array.from({ length: 3 }, () => ({ ok: true, value: [{ outcome: "accepted" }] })));
    await other.settled();
    expect(offered(other)).toHaveLength(2);
  }

  it("disturbs no other host and no other operation when the socket is closing", () =>
    postingWith((socket) => socket.close(4000, "gone")));

  it("disturbs no other host and no other operation when sending throws", () =>
    postingWith((socket) => {
      socket.send = () => {
        throw new Error("an injected bug");
      };
    }));
});
