// Idempotency (promise 1): an id is routed once per environment, and a repeated post gets the first answer.
import { evictDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { RETENTION_DAYS } from "../../shared/kernel/limits.ts";
import { getJson, makeEnvironment, post, rows, send, type TestEnvironment, TestHost } from "./support.ts";

interface Answer {
  readonly status: number;
  readonly replayed: string | null;
  readonly text: string;
}

async function answer(response: Response): Promise<Answer> {
  const replayed = response.headers.get("idempotent-replayed");
  return { status: response.status, replayed, text: await response.text() };
}

async function postEvent(key: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  return answer(await post(key, "/api/v1/events", body, headers));
}

async function runsOf({ key }: TestEnvironment): Promise<number> {
  return (await getJson<{ data: unknown[] }>(key, "/api/v1/runs?limit=100")).data.length;
}

const EVENT = { name: "paid", payload: { amount: 5, tags: ["a", "b"] }, context: { by: "u1" } };

describe("a repeated id with the same content", () => {
  it("returns the first body, marks it as a replay, and makes no run", async () => {
    const live = await makeEnvironment("live");
    await TestHost.listening(live.key, "starter", "paid");
    const first = await postEvent(live.key, { id: "e1", event: EVENT });
    const second = await postEvent(live.key, { id: "e1", event: EVENT });
    expect(first).toMatchObject({ status: 200, replayed: null });
    expect(second).toEqual({ ...first, replayed: "true" });
    expect(await runsOf(live)).toBe(1);
    expect(await rows(live, "SELECT id FROM events")).toHaveLength(1);
  });

  it.each([
    [
      "members in another order",
      '{"id":"e1","event":{"context":{"by":"u1"},"payload":{"tags":["a","b"],"amount":5},"name":"paid"}}',
    ],
    ["white space", JSON.stringify({ id: "e1", event: EVENT }, null, 4)],
    [
      "another spelling of a number and a string",
      JSON.stringify({ id: "e1", event: EVENT }).replace("5", "5.0e0").replace("paid", "p\\u0061id"),
    ],
    ["a member that the router does not know", { id: "e1", more: 1, event: { ...EVENT, more: 1 } }],
  ])("counts as the same content with %s", async (_difference, body) => {
    const live = await makeEnvironment("live");
    const first = await postEvent(live.key, { id: "e1", event: EVENT });
    expect(await postEvent(live.key, body)).toEqual({ ...first, replayed: "true" });
  });

  it("starts one run when many clients post it at the same time", async () => {
    const live = await makeEnvironment("live");
    await TestHost.listening(live.key, "starter", "paid");
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => postEvent(live.key, { id: "e1", event: EVENT })),
    );
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(answers.filter(({ replayed }) => replayed === null)).toHaveLength(1);
    expect(await runsOf(live)).toBe(1);
  });

  it("works after the object was evicted, and the answer says how long the id is kept", async () => {
    const live = await makeEnvironment("live");
    await TestHost.listening(live.key, "starter", "paid");
    const before = Date.now();
    const first = await postEvent(live.key, { id: "e1", event: EVENT });
    await evictDurableObject(live.stub);
    expect(await postEvent(live.key, { id: "e1", event: EVENT })).toEqual({ ...first, replayed: "true" });
    const { keptUntil } = JSON.parse(first.text) as { keptUntil: string };
    expect(Date.parse(keptUntil)).toBeGreaterThanOrEqual(before + RETENTION_DAYS * 24 * 3_600_000);
    expect(await runsOf(live)).toBe(1);
  });

  it("returns the first runs even if another workflow listens meanwhile", async () => {
    const live = await makeEnvironment("live");
    await TestHost.listening(live.key, "one", "paid");
    const first = await postEvent(live.key, { id: "e1", event: EVENT });
    await TestHost.listening(live.key, "two", "paid");
    expect(await postEvent(live.key, { id: "e1", event: EVENT })).toEqual({ ...first, replayed: "true" });
    expect(await runsOf(live)).toBe(1);
  });
});

describe("a repeated id with other content", () => {
  it.each([
    ["name", { ...EVENT, name: "paid2" }],
    ["payload", { ...EVENT, payload: { ...EVENT.payload, amount: 6 } }],
    ["type in the payload", { ...EVENT, payload: { ...EVENT.payload, amount: "5" } }],
    ["order of a list", { ...EVENT, payload: { ...EVENT.payload, tags: ["b", "a"] } }],
    ["context", { ...EVENT, context: { by: "u2" } }],
    ["context left out", { name: EVENT.name, payload: EVENT.payload }],
    ["timestamp", { ...EVENT, timestamp: "2026-01-01T00:00:00Z" }],
    ["delay", { ...EVENT, delay: { seconds: 5 } }],
  ])("conflicts and changes nothing: %s", async (_difference, event) => {
    const live = await makeEnvironment("live");
    await TestHost.listening(live.key, "starter", "paid");
    const first = await postEvent(live.key, { id: "e1", event: EVENT });
    expect(await postEvent(live.key, { id: "e1", event })).toMatchObject({ status: 409, replayed: null });
    expect(await runsOf(live)).toBe(1);
    expect(await postEvent(live.key, { id: "e1", event: EVENT })).toEqual({ ...first, replayed: "true" });
  });

  it("causes no conflict in another environment", async () => {
    const live = await makeEnvironment("live");
    const development = await makeEnvironment("development");
    await postEvent(live.key, { id: "e1", event: EVENT });
    const other = await postEvent(development.key, { id: "e1", event: { ...EVENT, payload: 1 } });
    expect(other).toMatchObject({ status: 200, replayed: null });
  });
});

describe("Idempotency-Key", () => {
  const header = (key: string) => ({ "idempotency-key": key });

  it("means the same as id in the body", async () => {
    const live = await makeEnvironment("live");
    const first = await postEvent(live.key, { event: EVENT }, header("e1"));
    expect(JSON.parse(first.text)).toMatchObject({ id: "e1" });
    expect(await postEvent(live.key, { id: "e1", event: EVENT })).toEqual({ ...first, replayed: "true" });
    expect(await postEvent(live.key, { id: "e1", event: EVENT }, header("e1"))).toEqual({ ...first, replayed: "true" });
    expect(await postEvent(live.key, { event: { ...EVENT, name: "x" } }, header("e1"))).toMatchObject({ status: 409 });
  });

  it.each([
    ["differs from the id in the body", { id: "e1", event: EVENT }, "e2"],
    ["is empty", { event: EVENT }, ""],
    ["is longer than an id may be", { event: EVENT }, "k".repeat(257)],
    ["stands before an array", [{ id: "e1", event: EVENT }], "e1"],
  ])("fails when it %s", async (_reason, body, key) => {
    const live = await makeEnvironment("live");
    expect(await postEvent(live.key, body, header(key))).toMatchObject({ status: 422 });
    expect(await rows(live, "SELECT id FROM events")).toEqual([]);
  });
});

describe("an event without an id", () => {
  it("counts as a new event every time, under an id of the router", async () => {
    const live = await makeEnvironment("live");
    await TestHost.listening(live.key, "starter", "paid");
    const [first, second] = [await send(live.key, "paid"), await send(live.key, "paid")];
    expect(first.id).toMatch(/^evt_[0-9A-Za-z]{23}$/);
    expect(second.id).not.toBe(first.id);
    expect(await runsOf(live)).toBe(2);
  });
});
