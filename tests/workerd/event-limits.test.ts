// Sizes: an event of exactly 1 MiB passes all the way, one byte more gets 413, and a body over its limit is refused
// before it is read whole.
import { evictDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { BATCH_MAX_BYTES, EVENT_MAX_BYTES, ROW_MAX_BYTES } from "../../shared/kernel/limits.ts";
import { getJson, makeEnvironment, post, request, rows, send, TestHost, withKey } from "./support.ts";

/** A string of this many bytes as JSON, made of quotes and backslashes. */
function quotesAndBackslashes(jsonBytes: number): string {
  return '"\\'.repeat((jsonBytes - 2) / 4);
}

describe("an event of exactly 1 MiB", () => {
  it.each([
    ["letters", "x".repeat(EVENT_MAX_BYTES - 2)],
    ["quotes", '"'.repeat(EVENT_MAX_BYTES / 2 - 1)],
    ["control characters", `${"\u0001".repeat(EVENT_MAX_BYTES / 6 - 1)}xxxxxxxx`],
    ["characters of three bytes", `${"€".repeat((EVENT_MAX_BYTES - 4) / 3)}xx`],
  ])("passes: %s", async (_what, payload) => {
    expect(new TextEncoder().encode(JSON.stringify(payload)).length).toBe(EVENT_MAX_BYTES);
    const live = await makeEnvironment("live");
    expect((await post(live.key, "/api/v1/events", { event: { name: "a", payload } })).status).toBe(200);
    const larger = { event: { name: "a", payload: `${payload}x` } };
    expect((await post(live.key, "/api/v1/events", larger)).status).toBe(413);
    expect(await rows(live, "SELECT count(*) AS n FROM events")).toEqual([{ n: 1 }]);
  });

  it("includes its context", async () => {
    const live = await makeEnvironment("live");
    const half = "x".repeat(EVENT_MAX_BYTES / 2 - 2);
    const event = { name: "a", payload: half, context: half };
    expect((await post(live.key, "/api/v1/events", { event })).status).toBe(200);
    expect((await post(live.key, "/api/v1/events", { event: { ...event, context: `${half}x` } })).status).toBe(413);
  });

  it("reaches a hibernated host and comes back as its output, all in quotes and backslashes", async () => {
    const live = await makeEnvironment("live");
    const host = await TestHost.listening(live.key, "starter", "large");
    const payload = `${quotesAndBackslashes(EVENT_MAX_BYTES - 2)}"`;
    expect(JSON.stringify(payload).length).toBe(EVENT_MAX_BYTES);

    await evictDurableObject(live.stub, { webSockets: "hibernate" });
    const { runs } = await send(live.key, "large", payload);
    const offer = await host.offer();
    expect(offer.id).toBe(runs[0]?.id);
    expect(offer.input === payload).toBe(true);

    await evictDurableObject(live.stub, { webSockets: "hibernate" });
    expect(await host.start(offer.id)).toBe(true);
    expect(await host.complete(offer.id, offer.input)).toBe(true);
    const run = await getJson<{ status: string; output: string; event: { payload: string } }>(
      live.key,
      `/api/v1/runs/${offer.id}`,
    );
    expect(run.status).toBe("SUCCESS");
    expect(run.output === payload).toBe(true);
    expect(run.event.payload === payload).toBe(true);
    expect(host.closed).toBe(null);
  });
});

describe("an event written larger than its value", () => {
  it("counts as the JSON that is kept, not as the bytes that were sent", async () => {
    const live = await makeEnvironment("live");
    const body = `{"event":{"name":"a","payload":"${"\\u0061".repeat(EVENT_MAX_BYTES - 2)}"}}`;
    expect(body.length).toBeGreaterThan(6 * EVENT_MAX_BYTES - 100);
    expect((await post(live.key, "/api/v1/events", body)).status).toBe(200);
  });
});

const CHUNK_BYTES = 64 * 1024;

/** An endless body, and the number of its bytes that were read. */
function endless(): { stream: ReadableStream<Uint8Array>; pulled: () => number } {
  let pulled = 0;
  const chunk = new Uint8Array(CHUNK_BYTES).fill(0x20);
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled += chunk.length;
      if (pulled > 16 * BATCH_MAX_BYTES) controller.close();
      else controller.enqueue(chunk);
    },
  });
  return { stream, pulled: () => pulled };
}

describe("a body over 8 MiB", () => {
  it("gets 413 without being read whole when it is streamed without a length", async () => {
    const live = await makeEnvironment("live");
    const body = endless();
    const response = await request("/api/v1/events", withKey(live.key, { method: "POST", body: body.stream }));
    expect(response.status).toBe(413);
    expect(body.pulled()).toBeGreaterThan(BATCH_MAX_BYTES);
    expect(body.pulled()).toBeLessThan(BATCH_MAX_BYTES + 2 * EVENT_MAX_BYTES);
  });

  it("gets 413 almost unread when it states its length", async () => {
    const live = await makeEnvironment("live");
    const body = endless();
    const headers = { "content-length": String(BATCH_MAX_BYTES + 1) };
    const response = await request("/api/v1/events", withKey(live.key, { method: "POST", body: body.stream, headers }));
    expect(response.status).toBe(413);
    expect(body.pulled()).toBeLessThanOrEqual(EVENT_MAX_BYTES);
  });

  it("passes if it is exactly 8 MiB", async () => {
    const live = await makeEnvironment("live");
    const body = '{"event":{"name":"a","payload":1}}'.padEnd(BATCH_MAX_BYTES, " ");
    expect((await post(live.key, "/api/v1/events", body)).status).toBe(200);
    expect((await post(live.key, "/api/v1/events", `${body} `)).status).toBe(413);
  });

  it("stays unread when the caller has no good key", async () => {
    const body = endless();
    const response = await request(
      "/api/v1/events",
      withKey("trigger_live_none", { method: "POST", body: body.stream }),
    );
    expect(response.status).toBe(401);
    expect(body.pulled()).toBeLessThanOrEqual(EVENT_MAX_BYTES);
  });
});

it("rejects an event that would not fit a row in the object itself, measured in bytes", async () => {
  const live = await makeEnvironment("live");
  const payloads = ["x".repeat(ROW_MAX_BYTES), "€".repeat(ROW_MAX_BYTES / 3)].map((text) => JSON.stringify(text));
  const answer = await live.stub.postEvents(
    live.keyId,
    payloads.map((payload) => ({
      id: null,
      name: "a",
      payload,
      context: null,
      timestamp: null,
      delay: null,
      digest: new Uint8Array(16),
    })),
  );
  expect(answer).toEqual({ ok: true, value: [{ outcome: "too large" }, { outcome: "too large" }] });
});

describe("a deeply nested payload", () => {
  it.each([1_000, 100_000])("reaches its host at depth %i, and its run can be read", async (depth) => {
    const live = await makeEnvironment("live");
    const host = await TestHost.listening(live.key, "starter", "deep", { payload: { kind: ["deep"] } });
    const nested = `${"[".repeat(depth)}${"]".repeat(depth)}`;
    const response = await post(
      live.key,
      "/api/v1/events",
      `{"event":{"name":"deep","payload":{"kind":"deep","nested":${nested}}}}`,
    );
    // A refusal on arrival would do as well. Acceptance of a payload that can never be read again would not.
    if (response.status === 422) return;
    expect(response.status).toBe(200);
    const { id } = await host.offer();
    expect((await request(`/api/v1/runs/${id}`, withKey(live.key))).status).toBe(200);
  });
});
