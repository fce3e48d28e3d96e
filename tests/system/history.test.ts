// The long memory: what has ended goes to Postgres, the object forgets it, and readers see no difference. On the embedded
// Postgres, or on the server of TEST_DATABASE_URL.
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type ControlPlane, DATABASE, makeOrganization, startControlPlane } from "./control-plane.ts";
import type { Fault } from "./faulty-proxy.ts";
import { startWorkingHost, type WorkingHost } from "./working-host.ts";

const ORG = "/api/v1/organizations/acme";
const DAY_MS = 24 * 3_600_000;

let plane: ControlPlane;
let owner: string;
let key: string;
/** What becomes of what the archive stores. */
let fault: () => Fault = () => "none";

beforeAll(async () => {
  plane = await startControlPlane({
    bindings: { CLOCK: "movable", ARCHIVE_EVERY_MINUTES: "0" },
    faults: (request) => (request.includes("INSERT INTO history") ? fault() : "none"),
  });
  ({ owner } = await makeOrganization(plane, "acme"));
  key = await keyOf("live");
});
afterAll(() => plane.stop());

const ask = (method: string, path: string, body?: unknown) => plane.ask(method, `${ORG}${path}`, { as: owner, body });
const must = async (method: string, path: string, body?: unknown) =>
  (await plane.must(method, `${ORG}${path}`, { as: owner, body })).body;
const LIVE = "/environments/live";
const archive = () => must("POST", `${LIVE}/history/archive`);
const moveClock = (advanceMs: number) => plane.must("POST", "/local/clock", { body: { advanceMs } });

async function keyOf(env: string): Promise<string> {
  const [{ id }] = (await must("GET", `/environments/${env}/keys`)).data;
  return (await must("POST", `/environments/${env}/keys/${id}/show`)).key;
}

async function post(events: readonly object[]): Promise<void> {
  const { body } = await plane.must("POST", "/api/v1/events", { as: key, body: events.map((event) => event) });
  for (const each of body) expect(each.status).toBe(200);
}

interface Listed {
  id: string;
  status: string;
}

/** Every page down to the last, with a key. */
async function listAll(path: string, limit = 7): Promise<Listed[]> {
  const all: Listed[] = [];
  for (let cursor: string | null = null, pages = 0; pages < 500; pages++) {
    const query = `${path.includes("?") ? "&" : "?"}limit=${limit}${cursor === null ? "" : `&cursor=${cursor}`}`;
    const { body } = await plane.must("GET", `${path}${query}`, { as: key });
    all.push(...body.data);
    cursor = body.next;
    if (cursor === null) return all;
  }
  throw new Error("the pages do not end");
}

/** Everything that a reader can see, as text: parsed, numbers beyond double would be gone. */
async function readEverything() {
  const runs = await listAll("/api/v1/runs");
  const events = await listAll("/api/v1/events");
  const text = async (path: string) =>
    (await fetch(plane.url + path, { headers: { authorization: `Bearer ${key}` } })).text();
  return {
    runs,
    events: events.map(({ keptUntil: _, ...event }: Listed & { keptUntil?: string }) => event),
    eachRun: await Promise.all(runs.map(({ id }) => text(`/api/v1/runs/${id}`))),
    eachEvent: (await Promise.all(events.map(({ id }) => text(`/api/v1/events/${encodeURIComponent(id)}`)))).map(
      (json) => {
        // Why a workflow does not start for it is asked of those that are registered now.
        const { workflows: _, ...event } = JSON.parse(json);
        return event;
      },
    ),
  };
}

const untilEnded = (count: number) =>
  vi.waitFor(
    async () => {
      const runs = await listAll("/api/v1/runs", 100);
      expect(runs.filter(({ status }) => !/PENDING|RUNNING/.test(status)).length).toBe(count);
    },
    { timeout: 20_000, interval: 50 },
  );

const NASTY: readonly unknown[] = [
  "\u0000",
  { "\u0000key": "\ud800 half", "\udfff": 1 },
  ["\u2028", "\\u0000", "\\", '"', "\ud83d\ude00"],
  { text: "x".repeat(300_000) },
  { deep: "<script>" },
  1.7976931348623157e308,
  null,
  "",
];
/** JSON that a host may send: numbers that no double holds, and text that Postgres refuses. */
const OUTPUTS = ['{"n":12345678901234567890123,"e":1e999}', '"\\u0000\\ud800"', "null", '"\ud800"', undefined];

describe(`history, on ${DATABASE}`, () => {
  let host: WorkingHost;
  let before: Awaited<ReturnType<typeof readEverything>>;
  const COUNT = 40;

  beforeAll(async () => {
    host = await startWorkingHost({
      url: plane.url,
      key,
      workflow: "nasty",
      event: "nasty\u0000",
      run: (payload, calls) => {
        const { at } = payload as { at: number };
        calls.log(`line \u0000 of ${at}`, '{"n":1e999,"half":"\\ud800"}');
        calls.log("the same");
        calls.log("the same");
        if (at === 11) for (let line = 0; line < 40; line++) calls.log("y".repeat(40_000));
        if (at % 4 === 3) calls.fail({ name: "Nul\u0000", message: `\ud800 ${at}`, stackTrace: "at \u0000" });
        else calls.complete(OUTPUTS[at % OUTPUTS.length]);
      },
    });
    const forgotten = await startWorkingHost({
      url: plane.url,
      key,
      workflow: "waits",
      event: "waits",
      timeToLiveSeconds: 600,
      run: () => {},
    });
    await forgotten.close();
    await post(
      Array.from({ length: COUNT }, (_, at) => ({
        id: `event ${at}`,
        event: { name: "nasty\u0000", payload: { at, nasty: NASTY[at % NASTY.length] }, context: { at } },
      })),
    );
    await post([
      { event: { name: "waits", payload: { timed: "out" } } },
      { event: { name: "nobody listens", payload: "\u0000" } },
      { id: "later", event: { name: "waits", payload: {}, delay: { days: 20 } } },
    ]);
    await untilEnded(COUNT);
    await moveClock(601_000);
    before = await readEverything();
  });
  afterAll(() => host.close());

  it("is archived on demand: all that has ended, each once, whatever Postgres makes of its characters", async () => {
    const backlog = (await must("GET", `${LIVE}/history`)).backlog;
    expect(backlog).toEqual({ runs: COUNT + 1, events: COUNT + 3 });
    expect(await archive()).toEqual({ runs: COUNT + 1, events: COUNT + 2 });
    expect(await archive()).toEqual({ runs: 0, events: 0 });
    // The delayed event waits.
    expect((await must("GET", `${LIVE}/history`)).backlog).toEqual({ runs: 0, events: 1 });
    const { rows } = await plane.pool.query("SELECT count(*)::int AS runs FROM history_runs");
    expect(rows).toEqual([{ runs: COUNT + 1 }]);
  });

  it("is read as before when the object has forgotten it: every field of every run and event", async () => {
    await moveClock(8 * DAY_MS);
    await archive();
    const after = await readEverything();
    expect(after.runs).toEqual(before.runs);
    expect(after.events).toEqual(before.events);
    expect(after.eachRun).toEqual(before.eachRun);
    expect(after.eachEvent).toEqual(before.eachEvent);
    for (const json of after.eachRun.slice(0, 40)) expect(json).toMatch(/^\{"id":"run_/);
    expect(after.eachRun.some((json) => json.includes("12345678901234567890123"))).toBe(true);
    expect(after.eachRun.filter((json) => json.includes('"tasks":[{')).length).toBe(COUNT);
    // Only what waits is left in the object.
    expect((await must("GET", `${LIVE}/history`)).backlog).toEqual({ runs: 0, events: 1 });
  });

  it("is filtered by status, workflow and name", async () => {
    const failed = await listAll("/api/v1/runs?status=ERROR");
    expect(failed.map(({ id }) => id)).toEqual(
      before.runs.filter(({ status }) => status === "ERROR").map(({ id }) => id),
    );
    expect((await listAll("/api/v1/runs?workflow=waits")).length).toBe(1);
    expect((await listAll(`/api/v1/events?name=${encodeURIComponent("nasty\u0000")}`)).length).toBe(COUNT);
    expect((await listAll("/api/v1/events?name=nobody%20listens")).length).toBe(1);
  });

  it("goes on below new runs, each page in its order, and what ended late is archived then", async () => {
    await post(Array.from({ length: 10 }, (_, at) => ({ event: { name: "nasty\u0000", payload: { at: 100 + at } } })));
    await untilEnded(COUNT + 11);
    const runs = await listAll("/api/v1/runs", 4);
    expect(runs.map(({ id }) => id)).toEqual([...runs.map(({ id }) => id)].sort().reverse());
    expect(runs.slice(10)).toEqual(before.runs);
    // The delayed event was passed by the archive; now it is routed.
    await moveClock(13 * DAY_MS);
    await expect.poll(async () => (await listAll("/api/v1/runs?workflow=waits")).length).toBe(2);
    await moveClock(601_000);
    await archive();
    expect((await must("GET", `${LIVE}/history`)).backlog).toEqual({ runs: 0, events: 0 });
    expect((await listAll("/api/v1/runs", 100)).length).toBe(COUNT + 12);
  });

  it("keeps its numbers by the hour, each run counted once", async () => {
    const from = new Date(Date.now() - DAY_MS).toISOString();
    const to = new Date(Date.now() + 60 * DAY_MS).toISOString();
    const { data } = await must("GET", `${LIVE}/hours?from=${from}&to=${to}`);
    const sum = (name: "runs" | "failures") =>
      data.reduce((all: number, hour: Record<string, number>) => all + (hour[name] ?? 0), 0);
    expect(sum("runs")).toBe(COUNT + 12);
    expect(sum("failures")).toBe(before.runs.filter(({ status }) => status === "ERROR").length + 2 + 2);
  });

  it("is exported as one line for each run, the newest first", async () => {
    const { body } = await plane.must("GET", `${ORG}${LIVE}/export`, { as: owner });
    const lines = String(body).trim().split("\n");
    expect(lines.length).toBe(COUNT + 12);
    expect(lines.slice(-before.eachRun.length)).toEqual(before.eachRun);
  });

  it("is of its environment alone", async () => {
    const foreign = await keyOf("development");
    for (const path of [`/api/v1/runs/${before.runs[0]?.id}`, "/api/v1/events/event%201"]) {
      expect((await plane.ask("GET", path, { as: foreign })).status).toBe(404);
    }
    expect((await plane.must("GET", "/api/v1/runs", { as: foreign })).body).toEqual({ data: [], next: null });
  });

  it("cannot be made again, which is said", async () => {
    const answer = await plane.ask("POST", `/api/v1/runs/${before.runs[5]?.id}/rerun`, { as: key });
    expect([answer.status, answer.body.error]).toEqual([409, expect.stringContaining("Postgres only")]);
    expect((await plane.ask("POST", `/api/v1/runs/${before.runs[5]?.id}/cancel`, { as: key })).status).toBe(409);
  });

  it("with Postgres away: what is recent is read, the rest says so, events go on, and the archive tries again", async () => {
    await post([{ event: { name: "nasty\u0000", payload: { at: 200 } } }]);
    await untilEnded(COUNT + 13);
    await plane.setPostgres(false);
    try {
      const recent = await plane.ask("GET", "/api/v1/runs?limit=5", { as: key });
      expect([recent.status, recent.body.data.length]).toEqual([200, 2]);
      const rest = await plane.ask("GET", `/api/v1/runs?cursor=${recent.body.next}`, { as: key });
      expect([rest.status, rest.body.error]).toEqual([503, expect.stringContaining("Postgres")]);
      expect((await plane.ask("GET", `/api/v1/runs/${before.runs[0]?.id}`, { as: key })).status).toBe(503);
      await post([{ event: { name: "nasty\u0000", payload: { at: 201 } } }]);
    } finally {
      await plane.setPostgres(true);
    }
    fault = () => "request lost";
    expect((await ask("POST", `${LIVE}/history/archive`)).status).toBe(503);
    expect((await must("GET", `${LIVE}/history`)).failures).toBe(1);
    fault = () => "none";
    expect((await archive()).runs).toBe(2);
    expect((await must("GET", `${LIVE}/history`)).failures).toBe(0);
  });

  it("is stored once, and counted once, though answers and requests are lost at random", async () => {
    let seed = 20261125;
    const random = () => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return seed / 2 ** 32;
    };
    const count = 300;
    for (let at = 0; at < count; at += 100) {
      await post(
        Array.from({ length: 100 }, (_, n) => ({ event: { name: "nasty\u0000", payload: { at: 1_000 + at + n } } })),
      );
    }
    await untilEnded(COUNT + 14 + count);
    fault = () => (random() < 0.3 ? "answer lost" : random() < 0.3 ? "request lost" : "none");
    let tries = 0;
    while ((await ask("POST", `${LIVE}/history/archive`)).status !== 200) tries += 1;
    fault = () => "none";
    expect(tries).toBeGreaterThan(0);
    const total = COUNT + 14 + count;
    const { rows } = await plane.pool.query(
      "SELECT (SELECT count(*)::int FROM history_runs) AS runs, (SELECT sum(runs)::int FROM history_hours) AS counted",
    );
    expect(rows).toEqual([{ runs: total, counted: total }]);
  });

  it("is forgotten by Postgres when its days are over, and with its organization", async () => {
    await must("PATCH", LIVE, { retentionDays: 1, historyDays: 1 });
    await moveClock(9 * DAY_MS);
    await post([{ event: { name: "nasty\u0000", payload: { at: 1 } } }]);
    await expect
      .poll(async () => (await plane.must("GET", "/api/v1/runs", { as: key })).body.data[0]?.status)
      .toBe("SUCCESS");
    await archive();
    const left = async (what: string) => (await plane.pool.query(`SELECT count(*)::int AS n FROM ${what}`)).rows[0].n;
    expect(await left("history_runs")).toBe(1);
    expect(await left("history_events")).toBe(1);
    expect(await left("history_hours")).toBeGreaterThan(1);
    await plane.must("DELETE", ORG, { as: owner });
    await expect.poll(() => left("organizations")).toBe(0);
    expect(await left("history_runs")).toBe(0);
    expect(await left("history_hours")).toBe(0);
  });
});

describe(`history with a bucket, on ${DATABASE}`, () => {
  it("keeps what is large in the bucket, and reads it as before", async () => {
    const large = await startControlPlane({ bindings: { CLOCK: "movable", ARCHIVE_EVERY_MINUTES: "0" }, bucket: true });
    try {
      const { owner: as } = await makeOrganization(large, "large");
      const at = "/api/v1/organizations/large/environments/live";
      const [{ id }] = (await large.must("GET", `${at}/keys`, { as })).body.data;
      const bearer = (await large.must("POST", `${at}/keys/${id}/show`, { as })).body.key;
      const host = await startWorkingHost({
        url: large.url,
        key: bearer,
        workflow: "large",
        event: "large",
        run: (payload, calls) => {
          calls.log("z".repeat(140_000));
          calls.complete(JSON.stringify(payload));
        },
      });
      const sizes = [100, 131_000, 131_100];
      const ids: string[] = [];
      for (const size of sizes) {
        const event = { name: "large", payload: `\ud800\u0000${"x".repeat(size)}` };
        const { body } = await large.must("POST", "/api/v1/events", {
          as: bearer,
          body: { event },
          headers: { prefer: "wait=10" },
        });
        ids.push(body.runs[0].id);
      }
      const read = () =>
        Promise.all(ids.map(async (run) => (await large.must("GET", `/api/v1/runs/${run}`, { as: bearer })).body));
      const before = await read();
      await host.close();
      await large.must("POST", `${at}/history/archive`, { as });
      await large.must("POST", "/local/clock", { body: { advanceMs: 8 * DAY_MS } });
      await large.must("POST", `${at}/history/archive`, { as });
      expect((await large.must("GET", `${at}/history`, { as })).body.backlog).toEqual({ runs: 0, events: 0 });
      expect(await read()).toEqual(before);
      const { rows } = await large.pool.query(
        `SELECT (SELECT count(payload_key)::int FROM history_events) AS payloads,
           (SELECT count(output_key)::int FROM history_runs) AS outputs,
           (SELECT count(body_key)::int FROM history_steps) AS steps`,
      );
      expect(rows).toEqual([{ payloads: 1, outputs: 1, steps: 3 }]);
    } finally {
      await large.stop();
    }
  });
});

describe(`history by itself, on ${DATABASE}`, () => {
  it("is archived when its time has come, and tried again while Postgres is away", async () => {
    let away = false;
    const by = await startControlPlane({
      bindings: { CLOCK: "movable" },
      faults: (request) => (away && request.includes("INSERT INTO history") ? "request lost" : "none"),
    });
    try {
      const { owner: as } = await makeOrganization(by, "itself");
      const at = "/api/v1/organizations/itself/environments/live";
      const [{ id }] = (await by.must("GET", `${at}/keys`, { as })).body.data;
      const bearer = (await by.must("POST", `${at}/keys/${id}/show`, { as })).body.key;
      const status = async () => (await by.must("GET", `${at}/history`, { as })).body;
      const move = (advanceMs: number) => by.must("POST", "/local/clock", { body: { advanceMs } });
      const send = () =>
        by.must("POST", "/api/v1/events", { as: bearer, body: { event: { name: "nobody listens", payload: {} } } });
      const HOUR_MS = 3_600_000;

      expect((await status()).nextAt).toBeNull();
      await send();
      const { nextAt } = await status();
      expect(Date.parse(nextAt) - Date.now()).toBeLessThanOrEqual(6 * HOUR_MS + 60_000);
      expect(Date.parse(nextAt) % (6 * HOUR_MS)).toBeLessThan(60_000);
      await move(6 * HOUR_MS + 60_000);
      await expect.poll(async () => (await status()).archivedAt).not.toBeNull();
      expect((await status()).backlog).toEqual({ runs: 0, events: 0 });

      await send();
      away = true;
      await move(6 * HOUR_MS + 60_000);
      await expect.poll(async () => (await status()).failures).toBe(1);
      expect((await status()).backlog).toEqual({ runs: 0, events: 1 });
      away = false;
      await move(60_000);
      await expect.poll(async () => await status()).toMatchObject({ failures: 0, backlog: { runs: 0, events: 0 } });
    } finally {
      await by.stop();
    }
  });
});
