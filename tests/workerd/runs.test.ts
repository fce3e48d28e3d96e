// The life of a run: its statuses on the way, its single end, and its wait for the first host.
import { evictDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import { DEFAULT_TIME_TO_LIVE_MS, HOST_MAX_RUNNING } from "../../shared/kernel/limits.ts";
import {
  advanceClock,
  eventually,
  getJson,
  inside,
  makeEnvironment,
  post,
  resetClock,
  rows,
  send,
  type TestEnvironment,
  TestHost,
} from "./support.ts";

type Json = Record<string, unknown>;

const shown = (live: TestEnvironment, id: string): Promise<Json> => getJson(live.key, `/api/v1/runs/${id}`);

async function scene(more: Json = {}): Promise<{ live: TestEnvironment; host: TestHost; id: string }> {
  const live = await makeEnvironment("live");
  const host = await TestHost.listening(live.key, "starter", "paid", more);
  await send(live.key, "paid", { amount: 5 });
  return { live, host, id: (await host.offer()).id };
}

/** An environment whose only host has gone, and a run that has waited since. */
async function waiting(more: Json = {}): Promise<{ live: TestEnvironment; id: string }> {
  const live = await makeEnvironment("live");
  const host = await TestHost.listening(live.key, "starter", "paid", more);
  host.socket.close(1000);
  await eventually(async () => {
    const { data } = await getJson<{ data: { hosts: unknown[] }[] }>(live.key, "/api/v1/workflows");
    expect(data[0]?.hosts).toEqual([]);
  });
  const { runs } = await send(live.key, "paid");
  return { live, id: runs[0]?.id ?? "" };
}

afterEach(resetClock);

describe("a run", () => {
  it("goes from PENDING through RUNNING to SUCCESS, with the times", async () => {
    const { live, host, id } = await scene();
    expect(await shown(live, id)).toMatchObject({ status: "PENDING", attempts: 0 });
    expect(await shown(live, id)).not.toHaveProperty("startedAt");
    await host.start(id);
    const started = await shown(live, id);
    expect(started).toMatchObject({ status: "RUNNING", attempts: 1, startedAt: expect.any(String) });
    expect(started).not.toHaveProperty("finishedAt");
    await host.complete(id, { ok: true });
    expect(await shown(live, id)).toMatchObject({
      status: "SUCCESS",
      attempts: 1,
      output: { ok: true },
      startedAt: started.startedAt,
      finishedAt: expect.any(String),
      isTest: false,
    });
    expect(await shown(live, id)).not.toHaveProperty("error");
  });

  it("starts once, however often its host says so", async () => {
    const { live, host, id } = await scene();
    expect(await host.start(id)).toBe(true);
    const { startedAt } = await shown(live, id);
    advanceClock(5_000);
    expect(await host.start(id)).toBe(true);
    expect(await shown(live, id)).toMatchObject({ attempts: 1, startedAt });
  });

  it.each<[string, unknown]>([
    ["no output", undefined],
    ["null", "null"],
    ["zero", "0"],
    ["false", "false"],
    ["an empty text", '""'],
    ["a list", "[1,[2]]"],
    ["odd keys", '{"__proto__":1,"":2}'],
  ])("may return %s", async (_what, output) => {
    const { live, host, id } = await scene();
    await host.start(id);
    expect(await host.call("COMPLETE_WORKFLOW_RUN", { runId: id, output })).toBe(true);
    const run = await shown(live, id);
    expect(run.status).toBe("SUCCESS");
    expect(JSON.stringify(run.output)).toBe(output);
  });

  it.each<[string, unknown, Json]>([
    [
      "an error",
      { name: "TypeError", message: "no", stackTrace: "at x" },
      { name: "TypeError", message: "no", stackTrace: "at x" },
    ],
    ["nothing", {}, { name: "Error", message: "no message was sent" }],
    ["null", null, { name: "Error", message: "no message was sent" }],
    ["text", "no", { name: "Error", message: "no message was sent" }],
    ["a list", [1], { name: "Error", message: "no message was sent" }],
    [
      "parts of other types",
      { name: 5, message: {}, stackTrace: [] },
      { name: "Error", message: "no message was sent" },
    ],
    ["a message alone", { message: "no" }, { name: "Error", message: "no" }],
    ["more than an error", { name: "E", message: "no", code: 5, cause: {} }, { name: "E", message: "no" }],
  ])("ends as ERROR with any form of error: %s", async (_what, error, expected) => {
    const { live, host, id } = await scene();
    await host.start(id);
    expect(await host.call("SEND_WORKFLOW_ERROR", { runId: id, error })).toBe(true);
    const run = await shown(live, id);
    expect(run).toMatchObject({ status: "ERROR", attempts: 1, finishedAt: expect.any(String) });
    expect(run.error).toEqual(expected);
    expect(run).not.toHaveProperty("output");
  });

  it("ends as ERROR without a start when its event does not fit the workflow's schema", async () => {
    const { live, host, id } = await scene();
    const error = { name: "Event validation error", message: "payload.amount: expected string" };
    expect(await host.call("SEND_WORKFLOW_ERROR", { runId: id, error })).toBe(true);
    expect(await shown(live, id)).toMatchObject({ status: "ERROR", attempts: 0, error });
    expect(await shown(live, id)).not.toHaveProperty("startedAt");
  });

  it("keeps an enormous error, cut to a size that fits", async () => {
    const { live, host, id } = await scene();
    const huge = "\u0001€".repeat(150_000);
    expect(
      await host.call("SEND_WORKFLOW_ERROR", { runId: id, error: { name: huge, message: huge, stackTrace: huge } }),
    ).toBe(true);
    const run = (await shown(live, id)) as { status: string; error: { name: string; message: string } };
    expect(run.status).toBe("ERROR");
    expect(huge.startsWith(run.error.message)).toBe(true);
  });

  it("keeps its logs in order, equal ones too, with properties that may not be JSON", async () => {
    const { live, host, id } = await scene();
    await host.start(id);
    const log = (message: string, more: Json = {}) => ({
      runId: id,
      key: message,
      log: { message, level: "INFO", ...more },
    });
    for (const data of [
      log("a"),
      log("b", { level: "ERROR", properties: '{"x":1}' }),
      log("a"),
      log("", { properties: "{" }),
    ]) {
      expect(await host.call("SEND_LOG", data)).toBe(true);
    }
    const { tasks } = (await shown(live, id)) as { tasks: Json[] };
    expect(tasks).toMatchObject([
      { type: "LOG_MESSAGE", message: "a", level: "INFO", properties: {} },
      { type: "LOG_MESSAGE", message: "b", level: "ERROR", properties: { x: 1 } },
      { type: "LOG_MESSAGE", message: "a" },
      { type: "LOG_MESSAGE", message: "", properties: "{" },
    ]);
  });
});

describe("the end of a run", () => {
  it.each<[string, string, Json, string]>([
    ["completed twice", "COMPLETE_WORKFLOW_RUN", { output: "1" }, "SUCCESS"],
    ["completed after it failed", "SEND_WORKFLOW_ERROR", { error: { name: "First" } }, "ERROR"],
  ])("stays the first one: %s", async (_what, method, data, status) => {
    const { live, host, id } = await scene();
    await host.start(id);
    expect(await host.call(method, { runId: id, ...data })).toBe(true);
    const ended = await shown(live, id);
    expect(ended.status).toBe(status);
    expect(await host.complete(id, 2)).toBe(false);
    expect(await host.call("SEND_WORKFLOW_ERROR", { runId: id, error: { name: "Second" } })).toBe(false);
    expect(await shown(live, id)).toEqual(ended);
  });

  it("stays the first one of two in a commit", async () => {
    const { live, host, id } = await scene();
    await host.start(id);
    const answers = await Promise.all([
      host.complete(id, 1),
      host.complete(id, 2),
      host.call("SEND_WORKFLOW_ERROR", { runId: id, error: {} }),
    ]);
    expect(answers).toEqual([true, false, false]);
    expect(await shown(live, id)).toMatchObject({ status: "SUCCESS", output: 1 });
  });

  it("counts although the host refuses the offer in the commit in which it completed the run", async () => {
    const live = await makeEnvironment("live");
    const host = await TestHost.listening(live.key, "starter", "paid");
    await send(live.key, "paid");
    const offer = await host.until(({ methodName }) => methodName === "TRIGGER_WORKFLOW");
    const completion = {
      id: "c",
      kind: "CALL",
      methodName: "COMPLETE_WORKFLOW_RUN",
      data: { runId: offer.data.id, output: "1" },
    };
    const refusal = { id: offer.id, kind: "RESPONSE", methodName: "TRIGGER_WORKFLOW", data: false };
    await inside(live.stub, async (state, instance) => {
      const [socket] = state.getWebSockets();
      if (!socket) throw new Error("no socket");
      const frames = [completion, refusal].map((data) =>
        JSON.stringify({ type: "MESSAGE", id: "f", data: JSON.stringify(data) }),
      );
      const received: Promise<void>[] = [];
      for (const frame of frames) {
        received.push(instance.webSocketMessage(socket, frame));
        // Between two frames the platform runs everything that does not wait for time.
        for (let i = 0; i < 20; i++) await null;
      }
      await Promise.all(received);
    });
    expect(await shown(live, String(offer.data.id))).toMatchObject({ status: "SUCCESS", output: 1 });
  });

  it("belongs to the host that has the run, not to a late frame of the host that lost it", async () => {
    const { live, host, id } = await scene();
    await host.start(id);
    const late = JSON.stringify({
      id: "late",
      kind: "CALL",
      methodName: "COMPLETE_WORKFLOW_RUN",
      data: { runId: id, output: "1" },
    });
    await inside(live.stub, async (state, instance) => {
      const [socket] = state.getWebSockets();
      if (!socket) throw new Error("no socket");
      await instance.webSocketClose(socket, 1006, "");
      await instance.webSocketMessage(socket, JSON.stringify({ type: "MESSAGE", id: "late", data: late }));
    });
    const next = await TestHost.listening(live.key, "starter", "paid");
    expect(await next.offer()).toMatchObject({ id, meta: { attempt: 1 } });
    await next.start(id);
    expect(await next.complete(id, "second")).toBe(true);
    expect(await shown(live, id)).toMatchObject({ status: "SUCCESS", output: "second", attempts: 2 });
  });
});

describe("a run that no host could take within its time to live", () => {
  it.each([
    ["its workflow's own", { triggerTTL: 60 }, 60_000],
    ["an hour", {}, DEFAULT_TIME_TO_LIVE_MS],
  ])("reads TIMED_OUT from that moment on: %s", async (_what, more, ms) => {
    const { live, id } = await waiting(more);
    advanceClock(ms - 30_000);
    expect(await shown(live, id)).toMatchObject({ status: "PENDING" });
    advanceClock(30_000);
    const run = await shown(live, id);
    expect(run).toMatchObject({
      status: "TIMED_OUT",
      attempts: 0,
      timedOutReason: expect.any(String),
      timedOutAt: expect.any(String),
    });
    expect(run.finishedAt).toBe(run.timedOutAt);
    // Both times were read from the clock in the same turn.
    expect(Math.abs(Date.parse(String(run.timedOutAt)) - Date.parse(String(run.createdAt)) - ms)).toBeLessThan(100);
    expect((await getJson<{ data: Json[] }>(live.key, "/api/v1/runs?status=TIMED_OUT")).data).toMatchObject([
      { id, status: "TIMED_OUT" },
    ]);
    expect((await getJson<{ data: Json[] }>(live.key, "/api/v1/runs?status=PENDING")).data).toEqual([]);
    await evictDurableObject(live.stub);
    expect(await shown(live, id)).toEqual(run);
  });

  it("stays out of the offers to a later host, and looks the same to every reader", async () => {
    const { live, id } = await waiting({ triggerTTL: 60 });
    advanceClock(30_000);
    const second = (await send(live.key, "paid")).runs[0]?.id;
    advanceClock(40_000);
    const run = await shown(live, id);
    expect(run.status).toBe("TIMED_OUT");
    const host = await TestHost.listening(live.key, "starter", "paid", { triggerTTL: 60 });
    expect((await host.offer()).id).toBe(second);
    await host.settled();
    expect(host.offersWaiting()).toBe(0);
    expect(await shown(live, id)).toEqual(run);
    expect(await rows(live, "SELECT status FROM runs WHERE finished_at IS NOT NULL")).toEqual([
      { status: "TIMED_OUT" },
    ]);
  });

  it("keeps its first time to live, although its workflow registers with another", async () => {
    const { live, id } = await waiting({ triggerTTL: 60 });
    const host = await TestHost.connect(live.key);
    advanceClock(61_000);
    await host.settled();
    const later = await TestHost.listening(live.key, "starter", "paid", { triggerTTL: 600 });
    await later.settled();
    expect(later.offersWaiting()).toBe(0);
    expect(await shown(live, id)).toMatchObject({ status: "TIMED_OUT" });
  });

  it("goes on waiting while a host is connected and full", async () => {
    const live = await makeEnvironment("live");
    const host = await TestHost.listening(live.key, "starter", "paid", { triggerTTL: 60 });
    const events = Array.from({ length: HOST_MAX_RUNNING + 1 }, () => ({ event: { name: "paid", payload: 1 } }));
    const items = (await (await post(live.key, "/api/v1/events", events)).json()) as { runs: { id: string }[] }[];
    const last = items.at(-1)?.runs[0]?.id ?? "";
    const held = await host.offers(HOST_MAX_RUNNING);
    for (const id of held) await host.start(id);
    advanceClock(61_000);
    expect(await shown(live, last)).toMatchObject({ status: "PENDING" });
    await host.complete(held[0] ?? "");
    expect((await host.offer()).id).toBe(last);
    await host.start(last);
    expect(await host.complete(last, 1)).toBe(true);
    expect(await shown(live, last)).toMatchObject({ status: "SUCCESS" });
  });

  it("goes on waiting once it was started, however long its host is away", async () => {
    const { live, host, id } = await scene({ triggerTTL: 60 });
    await host.start(id);
    host.socket.close(1000);
    await eventually(async () => expect(await shown(live, id)).toMatchObject({ status: "DISCONNECTED" }));
    advanceClock(10 * DEFAULT_TIME_TO_LIVE_MS);
    expect(await shown(live, id)).toMatchObject({ status: "DISCONNECTED" });
    const next = await TestHost.listening(live.key, "starter", "paid", { triggerTTL: 60 });
    expect((await next.offer()).id).toBe(id);
  });
});

it("ends a run whose event is missing with an error that says so, and holds up no other", async () => {
  const { live } = await waiting();
  await send(live.key, "paid", { second: true });
  await inside(live.stub, ({ storage }) => {
    const [first] = storage.sql.exec<{ event: number }>("SELECT event FROM runs ORDER BY id LIMIT 1").toArray();
    storage.sql.exec("DELETE FROM events WHERE id = ?", first?.event ?? null);
  });
  const host = await TestHost.listening(live.key, "starter", "paid");
  expect((await host.offer()).input).toEqual({ second: true });
  expect(await rows(live, "SELECT status FROM runs ORDER BY id LIMIT 1")).toEqual([{ status: "ERROR" }]);
});
