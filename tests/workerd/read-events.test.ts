// Reading events: one with its content, its runs and the reasons why other workflows did not start; lists by keyset
// with filters. Another environment's events cannot be read or told apart from missing ones (promise 5).
import { beforeEach, describe, expect, it } from "vitest";
import type { EventDetails, EventSummary } from "../../shared/api/events.ts";
import { getJson, makeEnvironment, post, request, send, type TestEnvironment, TestHost, withKey } from "./support.ts";

let live: TestEnvironment;
beforeEach(async () => {
  live = await makeEnvironment("live");
});

interface Page {
  readonly data: EventSummary[];
  readonly next: string | null;
}

const list = (query = "", { key } = live): Promise<Page> => getJson<Page>(key, `/api/v1/events${query}`);
const show = (id: string, { key } = live): Promise<EventDetails> =>
  getJson<EventDetails>(key, `/api/v1/events/${encodeURIComponent(id)}`);

describe("an event", () => {
  it("shows its content, its runs and the reason why each other workflow did not start", async () => {
    await TestHost.listening(live.key, "takes-it", "paid");
    await TestHost.listening(live.key, "wants-more", "paid", { payload: { amount: [{ $gte: 100 }] } });
    await TestHost.listening(live.key, "of-another-name", "refunded");
    const event = {
      name: "paid",
      payload: { amount: 7 },
      context: { from: "shop" },
      timestamp: "2026-01-02T03:04:05Z",
    };
    await post(live.key, "/api/v1/events", { id: "order 1/ü", event });
    const shown = await show("order 1/ü");
    expect(shown).toMatchObject({
      id: "order 1/ü",
      name: "paid",
      kind: "CUSTOM_EVENT",
      service: "trigger",
      isTest: false,
      timestamp: "2026-01-02T03:04:05.000Z",
      payload: { amount: 7 },
      context: { from: "shop" },
      runs: [{ workflow: "takes-it", status: "PENDING" }],
      runCount: 1,
    });
    expect(shown.workflows).toEqual([
      { workflow: "takes-it", matches: true, paused: false },
      {
        workflow: "wants-more",
        matches: false,
        paused: false,
        mismatch: { path: "payload.amount", expected: '[{"$gte":100}]', found: "number" },
      },
    ]);
    expect(Date.parse(shown.keptUntil)).toBeGreaterThan(Date.parse(shown.createdAt));
  });

  it("answers to the router's id where the sender gave none", async () => {
    const { id } = await send(live.key, "paid");
    expect((await show(id)).id).toBe(id);
  });

  it("shows when a delayed one makes its runs", async () => {
    await post(live.key, "/api/v1/events", { id: "later", event: { name: "paid", payload: 1, delay: { hours: 1 } } });
    const shown = await show("later");
    expect(shown.runs).toEqual([]);
    // Numbers allocated within one millisecond are borrowed from the next.
    const delay = Date.parse(shown.deliverAt ?? "") - Date.parse(shown.createdAt);
    expect(Math.abs(delay - 3_600_000)).toBeLessThan(1_000);
  });

  it("keeps a payload that is nested deeper than can be copied", async () => {
    const payload = `${"[".repeat(3_000)}${"]".repeat(3_000)}`;
    await post(live.key, "/api/v1/events", `{"id":"deep","event":{"name":"paid","payload":${payload}}}`);
    const text = await (await request("/api/v1/events/deep", withKey(live.key))).text();
    expect(text).toContain(`"payload":${payload}`);
  });

  it.each([["evt_1"], ["no such id"], ["%00"], ["' OR 1=1 --"]])("gets the usual 404 under the id %s", async (id) => {
    const response = await request(`/api/v1/events/${encodeURIComponent(id)}`, withKey(live.key));
    expect([response.status, await response.json()]).toEqual([404, { error: "Event not found" }]);
  });

  it("looks like a missing one from another environment, by either id", async () => {
    const development = await makeEnvironment("development");
    const { id } = await send(development.key, "paid");
    await send(development.key, "paid", {}, "order-1");
    for (const theirs of [id, "order-1"]) {
      const response = await request(`/api/v1/events/${theirs}`, withKey(live.key));
      expect([response.status, await response.json()]).toEqual([404, { error: "Event not found" }]);
    }
    expect((await list()).data).toEqual([]);
  });
});

describe("the list", () => {
  it("shows the newest first and pages to the last, each once, while others arrive", async () => {
    const sent: string[] = [];
    for (let i = 0; i < 7; i++) sent.push((await send(live.key, "paid", i)).id);
    const seen: string[] = [];
    let next: string | null = "";
    while (next !== null) {
      const page: Page = await list(`?limit=3${next && `&cursor=${next}`}`);
      expect(page.data.length).toBeLessThanOrEqual(3);
      seen.push(...page.data.map(({ id }) => id));
      next = page.next;
      await send(live.key, "paid");
    }
    expect(seen).toEqual(sent.reverse());
  });

  it("holds only the events of a given name or kind", async () => {
    await send(live.key, "paid", 1, "a");
    await send(live.key, "refunded", 1, "b");
    expect((await list("?name=refunded")).data.map(({ id }) => id)).toEqual(["b"]);
    expect((await list("?kind=CUSTOM_EVENT")).data.map(({ id }) => id)).toEqual(["b", "a"]);
    expect((await list("?kind=WEBHOOK")).data).toEqual([]);
  });

  it("leaves payloads out", async () => {
    await send(live.key, "paid", { secret: "s3cr3t" });
    expect(JSON.stringify(await list())).not.toContain("s3cr3t");
  });

  it.each(["?limit=0", "?limit=101", "?limit=x", "?kind=OTHER", "?cursor=nothing", "?cursor=run_1"])(
    "refuses %s and says what to give",
    async (query) => {
      const response = await request(`/api/v1/events${query}`, withKey(live.key));
      const { error } = (await response.json()) as { error: string };
      expect(response.status).toBe(422);
      expect(error).toMatch(/must be/);
    },
  );

  it("refuses the cursor of another environment", async () => {
    const development = await makeEnvironment("development");
    const { id } = await send(development.key, "paid");
    expect((await request(`/api/v1/events?cursor=${id}`, withKey(live.key))).status).toBe(422);
  });
});
