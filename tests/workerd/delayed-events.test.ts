// Delayed events: the answer names the time, and the runs are made at that time, by the alarm or by a moved clock.
import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import { now } from "../../shared/kernel/clock.ts";
import { DEFAULT_TIME_TO_LIVE_MS } from "../../shared/kernel/limits.ts";
import {
  advanceClock,
  getJson,
  injectBug,
  inside,
  makeEnvironment,
  post,
  resetClock,
  rows,
  send,
  type TestEnvironment,
  TestHost,
} from "./support.ts";

interface Accepted {
  readonly id: string;
  readonly deliverAt?: string;
  readonly runs: { readonly id: string; readonly workflow: string }[];
  readonly keptUntil: string;
}

async function sendLater(key: string, delay: unknown, id?: string): Promise<Accepted> {
  const response = await post(key, "/api/v1/events", { id, event: { name: "later", payload: { id }, delay } });
  expect(response.status).toBe(200);
  return response.json();
}

const alarmOf = ({ stub }: TestEnvironment) => inside(stub, ({ storage }) => storage.getAlarm());
const HOUR_MS = 3_600_000;

afterEach(resetClock);

describe("the answer to a delayed event", () => {
  it.each<[string, Record<string, number>, number]>([
    ["seconds", { seconds: 90 }, 90_000],
    ["minutes", { minutes: 3 }, 180_000],
    ["hours", { hours: 5 }, 5 * HOUR_MS],
    ["days", { days: 366 }, 366 * 24 * HOUR_MS],
  ])("says when it is due: %s", async (_unit, delay, ms) => {
    const live = await makeEnvironment("live");
    await TestHost.listening(live.key, "starter", "later");
    const before = now();
    const { deliverAt, runs } = await sendLater(live.key, delay);
    const after = now();
    expect(Date.parse(deliverAt ?? "")).toBeGreaterThanOrEqual(before + ms);
    expect(Date.parse(deliverAt ?? "")).toBeLessThanOrEqual(after + ms);
    expect(runs).toEqual([]);
    expect(await alarmOf(live)).toBe(Date.parse(deliverAt ?? ""));
  });

  it("gives the date of the request, in UTC", async () => {
    const live = await makeEnvironment("live");
    const { deliverAt } = await sendLater(live.key, { until: "2086-01-02T03:04:05+02:00" });
    expect(deliverAt).toBe("2086-01-02T01:04:05.000Z");
  });

  it("repeats itself for a repeated post, and lists the runs once they exist", async () => {
    const live = await makeEnvironment("live");
    await TestHost.listening(live.key, "starter", "later");
    const first = await sendLater(live.key, { seconds: 60 }, "e1");
    expect(await sendLater(live.key, { seconds: 60 }, "e1")).toEqual(first);
    advanceClock(60_000);
    await live.stub.clockMoved();
    const after = await sendLater(live.key, { seconds: 60 }, "e1");
    expect(after).toEqual({ ...first, runs: [{ id: expect.stringMatching(/^run_/), workflow: "starter" }] });
    expect(await rows(live, "SELECT count(*) AS n FROM runs")).toEqual([{ n: 1 }]);
  });

  it("promises to keep the id at least until delivery", async () => {
    const live = await makeEnvironment("live");
    const { deliverAt, keptUntil } = await sendLater(live.key, { days: 30 }, "e1");
    expect(Date.parse(keptUntil)).toBeGreaterThanOrEqual(Date.parse(deliverAt ?? ""));
  });
});

describe("a delay that has passed already", () => {
  it.each<[string, unknown]>([
    ["a date in the past", { until: "1999-12-31T23:59:59Z" }],
    ["no seconds", { seconds: 0 }],
  ])("starts its runs at once: %s", async (_what, delay) => {
    const live = await makeEnvironment("live");
    const host = await TestHost.listening(live.key, "starter", "later");
    const accepted = await sendLater(live.key, delay);
    expect(accepted.deliverAt).toBeUndefined();
    expect(accepted.runs).toHaveLength(1);
    expect((await host.offer()).id).toBe(accepted.runs[0]?.id);
    expect(await alarmOf(live)).toBe(null);
  });
});

describe("a delayed event", () => {
  it("makes its runs when the clock reaches its time, not before", async () => {
    const live = await makeEnvironment("live");
    const host = await TestHost.listening(live.key, "starter", "later");
    await sendLater(live.key, { seconds: 60 }, "e1");
    advanceClock(30_000);
    await live.stub.clockMoved();
    await host.settled();
    expect(host.offersWaiting()).toBe(0);
    expect(await rows(live, "SELECT id FROM runs")).toEqual([]);

    advanceClock(30_000);
    await live.stub.clockMoved();
    const offer = await host.offer();
    expect(offer.input).toEqual({ id: "e1" });
    expect(await getJson(live.key, `/api/v1/runs/${offer.id}`)).toMatchObject({
      status: "PENDING",
      event: { id: "e1" },
    });
    await live.stub.clockMoved();
    await host.settled();
    expect(host.offersWaiting()).toBe(0);
  });

  it("arrives by the alarm, even if the object was evicted meanwhile", async () => {
    const live = await makeEnvironment("live");
    const host = await TestHost.listening(live.key, "starter", "later");
    await sendLater(live.key, { seconds: 60 }, "e1");
    await evictDurableObject(live.stub, { webSockets: "hibernate" });
    advanceClock(60_000);
    expect(await runDurableObjectAlarm(live.stub)).toBe(true);
    const offer = await host.offer();
    expect(offer.input).toEqual({ id: "e1" });
    expect([await host.start(offer.id), await host.complete(offer.id)]).toEqual([true, true]);
    await runDurableObjectAlarm(live.stub);
    expect(await alarmOf(live)).toBe(null);
  });

  it("waits for the next alarm when one comes too early", async () => {
    const live = await makeEnvironment("live");
    await TestHost.listening(live.key, "starter", "later");
    const { deliverAt } = await sendLater(live.key, { seconds: 60 });
    expect(await runDurableObjectAlarm(live.stub)).toBe(true);
    expect(await rows(live, "SELECT id FROM runs")).toEqual([]);
    expect(await alarmOf(live)).toBe(Date.parse(deliverAt ?? ""));
  });

  it("meets the filters in force at the time of delivery", async () => {
    const live = await makeEnvironment("live");
    await sendLater(live.key, { seconds: 60 });
    const host = await TestHost.listening(live.key, "starter", "later");
    advanceClock(60_000);
    await live.stub.clockMoved();
    expect((await host.offer()).id).toMatch(/^run_/);
  });

  it("makes runs whose time to live begins when they are made", async () => {
    const live = await makeEnvironment("live");
    (await TestHost.listening(live.key, "starter", "later")).socket.close();
    await sendLater(live.key, { hours: 3 }, "e1");
    advanceClock(3 * HOUR_MS);
    await live.stub.clockMoved();
    advanceClock(DEFAULT_TIME_TO_LIVE_MS - 60_000);
    const host = await TestHost.listening(live.key, "starter", "later");
    expect((await host.offer()).input).toEqual({ id: "e1" });
  });
});

describe("several delayed events", () => {
  it("arrive in the order of their times, each at its time, on one alarm", async () => {
    const live = await makeEnvironment("live");
    const host = await TestHost.listening(live.key, "starter", "later");
    const hour = await sendLater(live.key, { hours: 1 }, "hour");
    const minute = await sendLater(live.key, { minutes: 1 }, "minute");
    await sendLater(live.key, { minutes: 10 }, "ten");
    expect(await alarmOf(live)).toBe(Date.parse(minute.deliverAt ?? ""));

    advanceClock(30 * 60_000);
    await live.stub.clockMoved();
    for (const id of ["minute", "ten"]) {
      const offer = await host.offer();
      expect(offer.input).toEqual({ id });
      expect([await host.start(offer.id), await host.complete(offer.id)]).toEqual([true, true]);
    }
    await host.settled();
    expect(host.offersWaiting()).toBe(0);
    expect(await rows(live, "SELECT sender_id FROM events WHERE waits_until IS NOT NULL")).toEqual([
      { sender_id: "hour" },
    ]);
    // The clock is half an hour ahead of the machine's, which sets off the alarm.
    await runDurableObjectAlarm(live.stub);
    expect(await alarmOf(live)).toBe(Date.parse(hour.deliverAt ?? "") - 30 * 60_000);
  });

  it("pass one that a bug keeps from delivery", async () => {
    const live = await makeEnvironment("live");
    const host = await TestHost.listening(live.key, "starter", "later");
    for (const id of ["a", "bad", "c"]) await sendLater(live.key, { minutes: 1 }, id);
    const [bad] = await rows<{ id: number }>(live, "SELECT id FROM events WHERE sender_id = 'bad'");
    await injectBug(live, (query, values) => query.includes("UPDATE events") && values.includes(bad?.id));
    advanceClock(60_000);
    await runDurableObjectAlarm(live.stub);
    await host.settled();
    expect(host.received.map(({ data }) => (data as unknown as { trigger: { input: unknown } }).trigger.input)).toEqual(
      [{ id: "a" }, { id: "c" }],
    );
  });

  it("arrive in full when more are due than one turn takes", async () => {
    const live = await makeEnvironment("live");
    await TestHost.listening(live.key, "starter", "later");
    const event = { name: "later", payload: 1, delay: { minutes: 1 } };
    for (const size of [500, 300])
      await post(
        live.key,
        "/api/v1/events",
        Array.from({ length: size }, () => ({ event })),
      );
    advanceClock(60_000);
    await runDurableObjectAlarm(live.stub);
    await runDurableObjectAlarm(live.stub);
    expect(await rows(live, "SELECT count(*) AS n FROM runs")).toEqual([{ n: 800 }]);
    await send(live.key, "later");
    expect(await rows(live, "SELECT count(*) AS n FROM runs")).toEqual([{ n: 801 }]);
  });
});

it("sets a failed alarm again", async () => {
  const live = await makeEnvironment("live");
  const host = await TestHost.listening(live.key, "starter", "later");
  await sendLater(live.key, { minutes: 1 }, "e1");
  let broken = true;
  await injectBug(live, (query) => broken && query.includes("FROM events WHERE waits_until IS NOT NULL AND"));
  advanceClock(60_000);
  await runDurableObjectAlarm(live.stub);
  expect(await alarmOf(live)).not.toBe(null);
  broken = false;
  await runDurableObjectAlarm(live.stub);
  expect((await host.offer()).input).toEqual({ id: "e1" });
});
