// An array of events in one call: the router accepts or refuses each event alone, and answers in the order of the
// array.
import { describe, expect, it } from "vitest";
import { BATCH_MAX_BYTES, BATCH_MAX_EVENTS, EVENT_MAX_BYTES } from "../../shared/kernel/limits.ts";
import { makeEnvironment, post, rows, send, TestHost } from "./support.ts";

interface Item {
  readonly status: number;
  readonly id?: string;
  readonly runs?: { readonly id: string; readonly workflow: string }[];
  readonly fields?: { readonly path: string }[];
}

async function postAll(key: string, events: readonly unknown[]): Promise<Item[]> {
  const response = await post(key, "/api/v1/events", events);
  expect(response.status).toBe(200);
  return response.json();
}

const event = (id: string, payload: unknown = {}) => ({ id, event: { name: "paid", payload } });

describe("an array of events", () => {
  it("gets its answers in its order, and its runs are offered in its order", async () => {
    const live = await makeEnvironment("live");
    const host = await TestHost.listening(live.key, "starter", "paid");
    const ids = Array.from({ length: 50 }, (_, i) => `e${(i * 7) % 50}`);
    const items = await postAll(
      live.key,
      ids.map((id) => event(id)),
    );
    expect(items.map(({ status, id }) => [status, id])).toEqual(ids.map((id) => [200, id]));
    const runs = items.map(({ runs: [run] = [] }) => run?.id);
    expect(await host.offers(50)).toEqual(runs);
  });

  it("may hold 500 events", async () => {
    const live = await makeEnvironment("live");
    const items = await postAll(
      live.key,
      Array.from({ length: BATCH_MAX_EVENTS }, (_, i) => event(`e${i}`)),
    );
    expect(items.map(({ status }) => status)).toEqual(Array.from({ length: BATCH_MAX_EVENTS }, () => 200));
    expect(await rows(live, "SELECT count(*) AS n FROM events")).toEqual([{ n: BATCH_MAX_EVENTS }]);
  });

  it.each([
    ["none", 0],
    ["501", BATCH_MAX_EVENTS + 1],
  ])("fails as a whole with %s", async (_count, length) => {
    const live = await makeEnvironment("live");
    const response = await post(
      live.key,
      "/api/v1/events",
      Array.from({ length }, (_, i) => event(`e${i}`)),
    );
    expect(response.status).toBe(422);
    expect(await rows(live, "SELECT id FROM events")).toEqual([]);
  });

  it("fails as a whole when it is larger than 8 MiB together", async () => {
    const live = await makeEnvironment("live");
    const large = "x".repeat(EVENT_MAX_BYTES - 2);
    const fits = await postAll(
      live.key,
      Array.from({ length: 7 }, (_, i) => event(`e${i}`, large)),
    );
    expect(fits.map(({ status }) => status)).toEqual(Array.from({ length: 7 }, () => 200));
    const tooMany = Array.from({ length: 8 }, (_, i) => event(`f${i}`, large));
    expect(JSON.stringify(tooMany).length).toBeGreaterThan(BATCH_MAX_BYTES);
    expect((await post(live.key, "/api/v1/events", tooMany)).status).toBe(413);
    expect(await rows(live, "SELECT count(*) AS n FROM events")).toEqual([{ n: 7 }]);
  });

  it("has each event accepted or refused alone", async () => {
    const live = await makeEnvironment("live");
    await TestHost.listening(live.key, "starter", "paid");
    await send(live.key, "paid", { first: true }, "known");
    const items = await postAll(live.key, [
      event("good"),
      { id: "bad", event: { name: 5 } },
      event("known", { first: false }),
      event("large", "x".repeat(EVENT_MAX_BYTES)),
      null,
      [event("nested")],
      event("known", { first: true }),
      { event: { name: "paid", payload: 1 } },
    ]);
    expect(items.map(({ status }) => status)).toEqual([200, 422, 409, 413, 422, 422, 200, 200]);
    expect(items[1]?.fields?.map(({ path }) => path)).toEqual(["event.name", "event.payload"]);
    expect(items[0]?.runs).toHaveLength(1);
    expect(await rows(live, "SELECT count(*) AS n FROM events")).toEqual([{ n: 3 }]);
  });

  it("gets the usual answers for refused events when all of them are refused", async () => {
    const live = await makeEnvironment("live");
    expect((await postAll(live.key, [1, {}, null])).map(({ status }) => status)).toEqual([422, 422, 422]);
  });

  it("routes a doubled id once, and answers both places alike", async () => {
    const live = await makeEnvironment("live");
    const host = await TestHost.listening(live.key, "starter", "paid");
    const items = await postAll(live.key, [
      event("same"),
      event("other"),
      event("same"),
      event("same", { not: "the same" }),
    ]);
    expect(items[2]).toEqual(items[0]);
    expect(items[3]?.status).toBe(409);
    await host.settled();
    expect(host.offersWaiting()).toBe(2);
  });
});
