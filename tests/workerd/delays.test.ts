// `waitFor` and `waitUntil`: a delay ends once, at its first due time or later, whatever happens to hosts and object
// meanwhile. A sleeping run takes no room on its host.
import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import { machineTime, now } from "../../shared/kernel/clock.ts";
import { DELAY_MAX_MS, HOST_MAX_HELD, HOST_MAX_RUNNING, OFFER_ANSWERED_WITHIN_MS } from "../../shared/kernel/limits.ts";
import { delayEnd } from "../../workers/environment/wires/reference/calls/initialize-delay.ts";
import {
  advance,
  alarmOf,
  answerTo,
  DAY,
  HOUR,
  hostOf,
  lose,
  MINUTE,
  runningRun,
  SECOND,
  sendMany,
  shown,
  startNext,
  takeAll,
  taskTypes,
  UNANSWERED_CALL,
  waiting,
} from "./durable-support.ts";
import {
  advanceClock,
  eventually,
  getJson,
  makeEnvironment,
  resetClock,
  rows,
  send,
  type TestEnvironment,
  type TestHost,
} from "./support.ts";

afterEach(resetClock);

const HOURS = { type: "DELAY", hours: 1 };
const sleep = (host: TestHost, runId: string, key = "d", wait: unknown = HOURS): Promise<unknown> =>
  host.call("INITIALIZE_DELAY", { runId, key, wait, timestamp: "1" });

/** The router's time at which pending answers are due to runs. */
const owed = async (live: TestEnvironment): Promise<number[]> =>
  (await rows<{ due_at: number }>(live, "SELECT due_at FROM steps WHERE due_at IS NOT NULL ORDER BY due_at")).map(
    ({ due_at }) => due_at,
  );

describe("the length of a delay", () => {
  it.each<[string, Record<string, number>, number]>([
    ["seconds", { seconds: 90 }, 90 * SECOND],
    ["minutes", { minutes: 3 }, 3 * MINUTE],
    ["hours", { hours: 5 }, 5 * HOUR],
    ["days", { days: 366 }, 366 * DAY],
    ["all units together", { seconds: 4, minutes: 3, hours: 2, days: 1 }, DAY + 2 * HOUR + 3 * MINUTE + 4 * SECOND],
    ["fractions", { seconds: 0.25, minutes: 0.5 }, 30_250],
    ["a fraction of a millisecond, rounded up", { seconds: 0.0001 }, 1],
    ["nothing at all", {}, 0],
    ["less than nothing, which is now", { hours: -1 }, 0],
  ])("adds up its units: %s", (_what, units, ms) => {
    expect(delayEnd({ type: "DELAY", ...units }, 1_000_000)).toBe(1_000_000 + ms);
  });

  it.each<[string, string, number]>([
    ["in UTC", "1970-01-01T01:00:00Z", HOUR],
    ["with an offset", "1970-01-01T01:00:00+00:30", HOUR / 2],
    ["in the past, which is now", "1969-07-21T02:56:15Z", 0],
  ])("runs until its date: %s", (_what, scheduledFor, ms) => {
    expect(delayEnd({ type: "SCHEDULE_FOR", scheduledFor }, 0)).toBe(ms);
  });

  it("reaches 366 days at most", () => {
    expect(delayEnd({ type: "DELAY", days: 366, seconds: 0.001 }, 0)).toBe(null);
    expect(delayEnd({ type: "DELAY", days: Number.POSITIVE_INFINITY }, 0)).toBe(null);
    expect(delayEnd({ type: "SCHEDULE_FOR", scheduledFor: new Date(DELAY_MAX_MS + 1).toISOString() }, 0)).toBe(null);
    expect(delayEnd({ type: "SCHEDULE_FOR", scheduledFor: new Date(DELAY_MAX_MS).toISOString() }, 0)).toBe(
      DELAY_MAX_MS,
    );
  });
});

describe("a delay", () => {
  it("ends once, when its time has come and not before", async () => {
    const { live, host, id } = await runningRun();
    expect(await sleep(host, id)).toBe(true);
    await advance(live, HOUR - SECOND);
    await host.settled();
    expect(waiting(host, "RESOLVE_DELAY")).toBe(0);
    await advance(live, SECOND);
    const { data } = await answerTo(host, "RESOLVE_DELAY");
    expect(data).toMatchObject({
      key: "d",
      meta: {
        runId: id,
        environment: "live",
        workflowId: "w",
        organizationId: live.state.organization.id,
        apiKey: live.key,
      },
    });
    await advance(live, DAY);
    await host.settled();
    expect(waiting(host, "RESOLVE_DELAY")).toBe(0);
    expect(await host.complete(id)).toBe(true);
  });

  it("ends at its date when it has one", async () => {
    const { live, host, id } = await runningRun();
    const until = new Date(now() + 2 * DAY).toISOString();
    expect(await sleep(host, id, "d", { type: "SCHEDULE_FOR", scheduledFor: until })).toBe(true);
    expect((await shown(live, id)).tasks).toMatchObject([
      { type: "DURABLE_DELAY", status: "PENDING", delayUntil: until },
    ]);
    await advance(live, 2 * DAY - MINUTE);
    await host.settled();
    expect(waiting(host, "RESOLVE_DELAY")).toBe(0);
    await advance(live, MINUTE);
    await answerTo(host, "RESOLVE_DELAY");
  });

  it.each<[string, unknown]>([
    ["a date in the past", { type: "SCHEDULE_FOR", scheduledFor: "1999-12-31T23:59:59Z" }],
    ["no time", { type: "DELAY" }],
    ["less than no time", { type: "DELAY", days: -3 }],
  ])("ends at once, by the alarm alone, when it has no length: %s", async (_what, wait) => {
    const { host, id } = await runningRun();
    expect(await sleep(host, id, "d", wait)).toBe(true);
    await answerTo(host, "RESOLVE_DELAY");
    expect(await host.complete(id)).toBe(true);
  });

  it.each<[string, unknown]>([
    ["more than a year", { type: "DELAY", days: 367 }],
    ["a date after more than a year", { type: "SCHEDULE_FOR", scheduledFor: "2999-01-01T00:00:00Z" }],
    ["NaN, which is null on the wire", { type: "DELAY", hours: null }],
    ["a text", { type: "DELAY", hours: "1" }],
    ["a date that is none", { type: "SCHEDULE_FOR", scheduledFor: "tomorrow" }],
    ["an unknown form", { type: "UNTIL_I_SAY_SO" }],
    ["no form", null],
  ])("ends its run with an error when it is impossible: %s", async (_what, wait) => {
    const { live, host, id } = await runningRun();
    expect(await sleep(host, id, "d", wait)).toBe(false);
    expect(await shown(live, id)).toMatchObject({
      status: "ERROR",
      error: { name: expect.stringMatching(/^(InvalidDelay|ProtocolError)$/), message: expect.stringMatching(/./) },
    });
    expect(await owed(live)).toEqual([]);
    expect(host.closed).toBe(null);
  });

  it("changes nothing if the run is not on the asking host", async () => {
    const { live, id } = await runningRun();
    const other = await hostOf(live);
    expect(await sleep(other, id)).toBe(false);
    expect(await sleep(other, "run_none")).toBe(false);
    expect(await owed(live)).toEqual([]);
  });

  it("sets the alarm to its due time", async () => {
    const { live, host, id } = await runningRun();
    await sleep(host, id);
    const [due = 0] = await owed(live);
    expect(await alarmOf(live)).toBe(machineTime(due));
  });

  it("ends after a hibernation, by the alarm", async () => {
    const { live, host, id } = await runningRun();
    await sleep(host, id);
    await evictDurableObject(live.stub, { webSockets: "hibernate" });
    expect(await shown(live, id)).toMatchObject({ status: "RUNNING", attempts: 1 });
    await evictDurableObject(live.stub, { webSockets: "hibernate" });
    // An eviction takes seconds of machine time.
    await advance(live, HOUR - MINUTE);
    await host.settled();
    expect(waiting(host, "RESOLVE_DELAY")).toBe(0);
    await evictDurableObject(live.stub, { webSockets: "hibernate" });
    advanceClock(MINUTE);
    expect(await runDurableObjectAlarm(live.stub)).toBe(true);
    await answerTo(host, "RESOLVE_DELAY");
    expect(await host.complete(id, "slept")).toBe(true);
    expect(await shown(live, id)).toMatchObject({ status: "SUCCESS", attempts: 1, output: "slept" });
  });
});

describe("several delays in one run", () => {
  it("end each at its own time, and the run wakes when none is left", async () => {
    const { live, host, id } = await runningRun();
    for (const [key, minutes] of [
      ["c", 30],
      ["a", 10],
      ["b", 20],
    ] as const) {
      expect(await sleep(host, id, key, { type: "DELAY", minutes })).toBe(true);
    }
    for (const key of ["a", "b", "c"]) {
      await advance(live, 10 * MINUTE);
      expect((await answerTo(host, "RESOLVE_DELAY")).data.key).toBe(key);
      await host.settled();
      expect(waiting(host, "RESOLVE_DELAY")).toBe(0);
    }
    expect(await host.complete(id)).toBe(true);
    expect((await shown(live, id)).tasks).toMatchObject(
      [1, 2, 3].map(() => ({ type: "DURABLE_DELAY", status: "SUCCESS", attempt: 0 })),
    );
  });

  it("end together when they are due together", async () => {
    const { live, host, id } = await runningRun();
    for (const key of ["a", "b", "c"]) await sleep(host, id, key);
    await advance(live, HOUR);
    const keys = [];
    while (keys.length < 3) keys.push((await answerTo(host, "RESOLVE_DELAY")).data.key);
    expect(keys.sort()).toEqual(["a", "b", "c"]);
    expect(await host.complete(id)).toBe(true);
  });

  it("let the run log, store results and end while it sleeps", async () => {
    const { live, host, id } = await runningRun();
    await sleep(host, id);
    const log = { level: "INFO", message: "still here" };
    expect(await host.call("SEND_LOG", { runId: id, key: log.message, log })).toBe(true);
    expect(await host.complete(id, 7)).toBe(true);
    expect(await shown(live, id)).toMatchObject({ status: "SUCCESS", output: 7, attempts: 1 });
    expect(await owed(live)).toEqual([]);
    await advance(live, HOUR);
    await host.settled();
    expect(waiting(host, "RESOLVE_DELAY")).toBe(0);
  });
});

describe("the end of a sleeping run", () => {
  it("clears its pending answers when it fails", async () => {
    const { live, host, id } = await runningRun();
    await sleep(host, id);
    expect(await host.call("SEND_WORKFLOW_ERROR", { runId: id, error: { name: "Error", message: "no" } })).toBe(true);
    expect(await shown(live, id)).toMatchObject({ status: "ERROR", error: { message: "no" } });
    expect(await owed(live)).toEqual([]);
  });

  it("clears its pending answers when it sleeps after a replay", async () => {
    const { live, host, id } = await runningRun();
    await sleep(host, id);
    const other = await hostOf(live);
    await lose(live, host, 1);
    await startNext(other);
    await sleep(other, id);
    expect(await other.complete(id)).toBe(true);
    expect(await owed(live)).toEqual([]);
  });
});

describe("a host that is lost while its run sleeps", () => {
  it("leaves the run to another with attempt + 1, and the wait still ends at its first due time", async () => {
    const { live, host, id } = await runningRun();
    await sleep(host, id);
    const due = await owed(live);
    const other = await hostOf(live);
    await lose(live, host, 1);
    expect(await startNext(other)).toEqual({ id, attempt: 1 });
    expect(await taskTypes(live, id)).toEqual(["DURABLE_DELAY", "DISCONNECTION"]);
    await advance(live, 40 * MINUTE);
    expect(await sleep(other, id)).toBe(true);
    expect(await owed(live)).toEqual(due);
    await advance(live, 20 * MINUTE);
    await answerTo(other, "RESOLVE_DELAY");
    expect(await other.complete(id)).toBe(true);
    expect(await shown(live, id)).toMatchObject({ status: "SUCCESS", attempts: 2 });
  });

  it("counts as a lost attempt each time", async () => {
    const { live, host, id } = await runningRun();
    await sleep(host, id);
    let holder = host;
    for (const attempt of [1, 2, 3]) {
      const next = await hostOf(live);
      await lose(live, holder, 1);
      expect(await startNext(next)).toEqual({ id, attempt });
      expect(await sleep(next, id)).toBe(true);
      expect(await shown(live, id)).toMatchObject({ status: "RUNNING", attempts: attempt + 1 });
      holder = next;
    }
    await advance(live, HOUR);
    await answerTo(holder, "RESOLVE_DELAY");
    const log = { level: "INFO", message: "awake" };
    await holder.call("SEND_LOG", { runId: id, key: log.message, log });
    await holder.complete(id);
    const run = await shown(live, id);
    expect(run).toMatchObject({ status: "SUCCESS", attempts: 4 });
    expect(run.tasks.find(({ type }) => type === "LOG_MESSAGE")).toMatchObject({ attempt: 3 });
    expect(run.tasks.filter(({ type }) => type === "DISCONNECTION").map(({ attempt }) => attempt)).toEqual([0, 1, 2]);
  });

  it("may be the only one: the delay ends while nobody is connected, and the next host is told at once", async () => {
    const { live, host, id } = await runningRun();
    await sleep(host, id);
    await lose(live, host);
    expect(await shown(live, id)).toMatchObject({ status: "DISCONNECTED" });
    await advance(live, HOUR);
    expect((await shown(live, id)).tasks[0]).toMatchObject({ type: "DURABLE_DELAY", status: "SUCCESS" });
    const next = await hostOf(live);
    expect(await startNext(next)).toEqual({ id, attempt: 1 });
    expect(await sleep(next, id)).toBe(true);
    await answerTo(next, "RESOLVE_DELAY");
    expect(await next.complete(id)).toBe(true);
    expect(await shown(live, id)).toMatchObject({ status: "SUCCESS", attempts: 2 });
  });

  it("gets its answer while it is the only host, and its loss is shown when the run is replayed", async () => {
    const { live, host, id } = await runningRun();
    await sleep(host, id);
    await lose(live, host);
    await advance(live, HOUR);
    await startNext(await hostOf(live));
    expect(await taskTypes(live, id)).toEqual(["DURABLE_DELAY", "DISCONNECTION"]);
  });

  it("may be the only one, and the object lost too: the delay still ends", async () => {
    const { live, host, id } = await runningRun();
    await sleep(host, id);
    await evictDurableObject(live.stub, { webSockets: "close" });
    await advance(live, HOUR);
    const next = await hostOf(live);
    expect(await startNext(next)).toEqual({ id, attempt: 1 });
    expect(await sleep(next, id)).toBe(true);
    await answerTo(next, "RESOLVE_DELAY");
  });

  it("leaves a delay that ends before the next host has asked for it: the answer comes when it asks", async () => {
    const { live, host, id } = await runningRun();
    await sleep(host, id);
    const other = await hostOf(live);
    await lose(live, host, 1);
    await startNext(other);
    await advance(live, HOUR);
    await other.settled();
    expect(waiting(other, "TRIGGER_WORKFLOW")).toBe(0);
    expect(await sleep(other, id)).toBe(true);
    await answerTo(other, "RESOLVE_DELAY");
    expect(await other.complete(id)).toBe(true);
  });
});

describe("a sleeping run that is offered again", () => {
  it("goes to another host when the offer is not answered", async () => {
    const { live, host, id } = await runningRun();
    await sleep(host, id);
    await lose(live, host);
    const silent = await hostOf(live);
    await silent.until((m) => m.methodName === "TRIGGER_WORKFLOW");
    const other = await hostOf(live);
    await advance(live, OFFER_ANSWERED_WITHIN_MS);
    expect(await startNext(other)).toEqual({ id, attempt: 1 });
  });

  it("waits as long as a run that was awake when attempts are lost in a row", async () => {
    const { live, host, id } = await runningRun();
    await sleep(host, id, "d", { type: "DELAY", days: 1 });
    await lose(live, host);
    for (const attempt of [1, 2]) {
      const killed = await hostOf(live);
      expect(await startNext(killed)).toEqual({ id, attempt });
      await lose(live, killed);
    }
    const next = await hostOf(live);
    await next.settled();
    expect(next.offersWaiting()).toBe(0);
    await advance(live, SECOND);
    expect(await startNext(next)).toEqual({ id, attempt: 3 });
  });
});

describe("a reported timeout of a call, while the run sleeps", () => {
  it("counts as a lost attempt: the run is offered again, and its delay still ends at the first due time", async () => {
    const { live, host, id } = await runningRun();
    await sleep(host, id);
    expect(await host.call("SEND_WORKFLOW_ERROR", { runId: id, error: UNANSWERED_CALL })).toBe(true);
    expect(await startNext(host)).toEqual({ id, attempt: 1 });
    expect(await sleep(host, id)).toBe(true);
    await advance(live, HOUR);
    await answerTo(host, "RESOLVE_DELAY");
    expect(await host.complete(id)).toBe(true);
  });

  it("counts as a lost attempt even before the replayed run has asked for its delay again", async () => {
    const { live, host, id } = await runningRun();
    await sleep(host, id);
    await lose(live, host);
    const next = await hostOf(live);
    await startNext(next);
    expect(await next.call("SEND_WORKFLOW_ERROR", { runId: id, error: UNANSWERED_CALL })).toBe(true);
    expect(await startNext(next)).toEqual({ id, attempt: 2 });
  });
});

describe("room on a host", () => {
  it("goes to 100 runs that are awake: the 101st waits until one falls asleep", async () => {
    const live = await makeEnvironment("live");
    const host = await hostOf(live);
    const ids = await sendMany(live, HOST_MAX_RUNNING + 1);
    const taken = await host.offers(HOST_MAX_RUNNING);
    for (const id of taken) await host.start(id);
    await host.settled();
    expect(host.offersWaiting()).toBe(0);
    await sleep(host, taken[0] ?? "");
    expect((await host.offer()).id).toBe(ids.at(-1));
  });

  it("ignores sleeping runs: 150 asleep do not keep the 151st from running", async () => {
    const live = await makeEnvironment("live");
    const host = await hostOf(live);
    await sendMany(live, 150);
    await takeAll(host, 150, (id) => sleep(host, id));
    expect(await owed(live)).toHaveLength(150);
    expect(await getJson(live.key, "/api/v1/workflows")).toMatchObject({ data: [{ hosts: [{ running: 0 }] }] });
    await send(live.key, "go");
    const next = await startNext(host);
    expect(await host.complete(next.id, "ran")).toBe(true);
    await advance(live, HOUR);
    for (let woken = 0; woken < 150; woken++) {
      const { data } = await answerTo(host, "RESOLVE_DELAY");
      expect(await host.complete((data.meta as { runId: string }).runId)).toBe(true);
    }
    expect(await rows(live, "SELECT status, count(*) AS n FROM runs GROUP BY status")).toEqual([
      { status: "SUCCESS", n: 151 },
    ]);
  });

  it("ends at 400 woken runs: the others wake as room appears, each once", async () => {
    const { live, host, count } = await fullOfWokenRuns();
    await live.stub.clockMoved();
    await host.settled();
    expect(waiting(host, "RESOLVE_DELAY")).toBe(HOST_MAX_HELD);
    const woken = new Set<string>();
    while (woken.size < count) {
      const { runId } = (await answerTo(host, "RESOLVE_DELAY")).data.meta as { runId: string };
      expect(woken.has(runId)).toBe(false);
      woken.add(runId);
      expect(await host.complete(runId)).toBe(true);
    }
    expect(await rows(live, "SELECT status, count(*) AS n FROM runs GROUP BY status")).toEqual([
      { status: "SUCCESS", n: count },
    ]);
    expect(await owed(live)).toEqual([]);
  });

  it("stays used up by 400 woken runs over a hibernation", async () => {
    const { live, host } = await fullOfWokenRuns();
    await evictDurableObject(live.stub, { webSockets: "hibernate" });
    expect(await getJson(live.key, "/api/v1/workflows")).toMatchObject({
      data: [{ hosts: [{ running: HOST_MAX_HELD }] }],
    });
    await live.stub.clockMoved();
    await host.settled();
    expect(waiting(host, "RESOLVE_DELAY")).toBe(HOST_MAX_HELD);
  });

  it("needs no alarm: pending answers to a full host set none", async () => {
    const { live } = await fullOfWokenRuns();
    await runDurableObjectAlarm(live.stub);
    await runDurableObjectAlarm(live.stub);
    expect((await alarmOf(live)) ?? Number.POSITIVE_INFINITY).toBeGreaterThan(Date.now() + SECOND);
  });
});

/** A host with as many woken runs as it may hold, and over 20 sleeping ones whose delay has ended. */
async function fullOfWokenRuns(): Promise<{ live: TestEnvironment; host: TestHost; count: number }> {
  const live = await makeEnvironment("live");
  const host = await hostOf(live);
  const count = HOST_MAX_HELD + 20;
  await sendMany(live, count);
  await takeAll(host, count, (id) => sleep(host, id));
  await advance(live, HOUR);
  await eventually(() => expect(waiting(host, "RESOLVE_DELAY")).toBe(HOST_MAX_HELD));
  return { live, host, count };
}
