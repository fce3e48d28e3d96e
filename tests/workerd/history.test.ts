// The history of an environment's object, with a test archive in place of Postgres.
import { afterEach, describe, expect, it } from "vitest";
import type { ArchivedRows, ArchiveRpc } from "../../shared/contracts/archive.ts";
import { ARCHIVED_AT_ONCE_CHARS, ARCHIVED_AT_ONCE_ROWS } from "../../shared/kernel/limits.ts";
import { countRows, countRowsRead } from "./count-rows.ts";
import { advance, DAY, EVENT, HOUR, hostOf, MINUTE, sendMany, startNext, WORKFLOW } from "./durable-support.ts";
import {
  getJson,
  inside,
  makeEnvironment,
  post,
  request,
  resetClock,
  rows,
  send,
  type TestEnvironment,
  type TestHost,
  withKey,
} from "./support.ts";

afterEach(resetClock);

/** Keeps every batch. `fails` decides for each call whether it throws, before or after keeping the batch. */
class FakeArchive {
  readonly calls: ArchivedRows[] = [];
  fails: (call: number) => "before" | "after" | null = () => null;
  forgotten = 0;

  async store(_: string, stored: ArchivedRows): Promise<void> {
    const fails = this.fails(this.calls.length);
    if (fails !== "before") this.calls.push(stored);
    else this.calls.push({ events: [], runs: [], steps: [] });
    if (fails !== null) throw new Error("Postgres is away");
  }

  async forget(): Promise<boolean> {
    this.forgotten += 1;
    return true;
  }

  get runs(): number[] {
    return this.calls.flatMap((call) => call.runs.map(({ id }) => id));
  }
  get events(): number[] {
    return this.calls.flatMap((call) => call.events.map(({ id }) => id));
  }
}

async function archiveOf({ stub }: TestEnvironment): Promise<FakeArchive> {
  const archive = new FakeArchive();
  await inside(stub, (_, instance) => {
    (instance as unknown as { archiver: ArchiveRpc }).archiver = archive as unknown as ArchiveRpc;
  });
  return archive;
}

const look = (live: TestEnvironment) => inside(live.stub, (_, instance) => instance.archive());
const count = async (live: TestEnvironment, table: string) =>
  (await rows<{ n: number }>(live, `SELECT count(*) AS n FROM ${table}`))[0]?.n;
const unique = (numbers: readonly number[]) => new Set(numbers).size;

/** An environment with runs that have ended. */
async function ended(runs: number): Promise<{ live: TestEnvironment; host: TestHost; archive: FakeArchive }> {
  const live = await makeEnvironment("live");
  const archive = await archiveOf(live);
  const host = await hostOf(live);
  await finish(live, host, runs);
  return { live, host, archive };
}

async function finish(live: TestEnvironment, host: TestHost, runs: number): Promise<void> {
  await sendMany(live, runs);
  for (let run = 0; run < runs; run++) {
    const { id } = await startNext(host);
    await host.complete(id, { run });
  }
}

describe("the archive", () => {
  it("gets ended rows in batches of limited size, each row once", async () => {
    const { live, archive } = await ended(ARCHIVED_AT_ONCE_ROWS + 50);
    expect(await look(live)).toEqual({ runs: 150, events: 150, complete: true });
    expect([unique(archive.runs), archive.runs.length, unique(archive.events), archive.events.length]).toEqual([
      150, 150, 150, 150,
    ]);
    for (const { events, runs, steps } of archive.calls) {
      expect(events.length + runs.length + steps.length).toBeLessThanOrEqual(ARCHIVED_AT_ONCE_ROWS);
    }
    expect(await look(live)).toEqual({ runs: 0, events: 0, complete: true });
  });

  it("gets a run with many large steps part by part, before the run itself", async () => {
    const { live, host, archive } = await ended(0);
    await send(live.key, EVENT, {});
    const { id } = await startNext(host);
    for (let line = 0; line < 12; line++) {
      const log = { message: "x".repeat(200_000), level: "INFO" };
      expect(await host.call("SEND_LOG", { runId: id, key: "x", log, timestamp: "1" })).toBe(true);
    }
    await host.complete(id, "done");
    await look(live);
    const parts = archive.calls.flatMap(({ steps }) => steps);
    expect(parts.map(({ part }) => part)).toEqual(parts.map((_, at) => at));
    expect(parts.reduce((sum, { count }) => sum + count, 0)).toBe(12);
    for (const { body } of parts) expect(body.length).toBeLessThan(ARCHIVED_AT_ONCE_CHARS + 200_000);
    expect(archive.calls.findIndex(({ runs }) => runs.length > 0)).toBe(archive.calls.length - 1);
    expect(JSON.parse(`[${parts.map(({ body }) => body).join(",")}]`)).toHaveLength(12);
  });

  it.each(["before", "after"] as const)(
    "gets a batch again when it fails %s storing it, and nothing is left out",
    async (when) => {
      const { live, archive } = await ended(130);
      archive.fails = (call) => (call % 2 === 1 ? when : null);
      let tries = 0;
      while (!(await complete(live)) && tries < 20) tries += 1;
      expect(tries).toBeGreaterThan(0);
      expect([unique(archive.runs), unique(archive.events)]).toEqual([130, 130]);
      const [state] = await rows(live, "SELECT attempts, retry_at FROM history");
      expect(state).toEqual({ attempts: 0, retry_at: null });
    },
  );

  it("passes over what has not ended, and comes back for it", async () => {
    const { live, host, archive } = await ended(3);
    await sendMany(live, 1);
    const open = await startNext(host);
    await finish(live, host, 2);
    await post(live.key, "/api/v1/events", { event: { name: EVENT, payload: {}, delay: { days: 1 } } });
    expect(await look(live)).toEqual({ runs: 5, events: 6, complete: true });
    expect([await count(live, "passed_runs"), await count(live, "passed_events")]).toEqual([1, 1]);
    await host.complete(open.id, "late");
    expect(await look(live)).toEqual({ runs: 1, events: 0, complete: true });
    await advance(live, DAY);
    const { id } = await startNext(host);
    await host.complete(id, "delayed");
    expect(await look(live)).toEqual({ runs: 1, events: 1, complete: true });
    expect([await count(live, "passed_runs"), await count(live, "passed_events")]).toEqual([0, 0]);
    expect([unique(archive.runs), archive.runs.length]).toEqual([7, 7]);
  });

  it("records that a run has timed out, and takes the run", async () => {
    const live = await makeEnvironment("live");
    const archive = await archiveOf(live);
    const host = await hostOf(live, { triggerTTL: 60 });
    host.socket.close(1000);
    await host.closure();
    await sendMany(live, 120);
    await advance(live, 2 * MINUTE);
    expect(await look(live)).toEqual({ runs: 120, events: 120, complete: true });
    expect(archive.calls.flatMap(({ runs }) => runs.map(({ status }) => status)).every((s) => s === "TIMED_OUT")).toBe(
      true,
    );
  });

  it.each([
    ["at most 6 for an event with an id, which is what most cost", true, 6],
    ["at most 5 for one without", false, 5],
  ])(
    "costs rows by the batch, not by the run: %s; its completed run, the archive and forgetting included",
    async (_, named, most) => {
      const { live } = await ended(0);
      const host = await hostOf(live);
      const written = await countRows(live);
      for (let run = 0; run < 100; run++) {
        await send(live.key, EVENT, {}, named ? `event ${run}` : undefined);
        const { id } = await startNext(host);
        await host.complete(id, { run });
      }
      await look(live);
      await advance(live, 8 * DAY);
      await look(live);
      expect([await count(live, "runs"), await count(live, "events")]).toEqual([0, 0]);
      const each = (await written()) / 100;
      // Fewer could not be an event, a run, its end, and the deletion of both: the count would be broken.
      expect(each).toBeGreaterThan(most);
      // Beyond that, each batch writes only the cursor and the alarm.
      expect(each).toBeLessThanOrEqual(most + 0.2);
    },
  );
});

describe("an archive pass", () => {
  it("reads a few rows for each row, however many there are", async () => {
    const { live } = await ended(1);
    const fill = (count: number) =>
      inside(live.stub, ({ storage: { sql } }) => {
        const { last } = sql.exec<{ last: number }>("SELECT max(id) AS last FROM runs").one();
        sql.exec(
          `INSERT INTO events (id, digest, name, payload, timestamp, runs)
           WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)
           SELECT ?1 + 2 * i, x'00', 'go', '{}', 0, '[]' FROM n`,
          last,
          count,
        );
        sql.exec(
          `INSERT INTO runs (id, workflow, event, expires_at, finished_at, status)
           WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)
           SELECT ?1 + 2 * i + 1, 1, ?1 + 2 * i, 0, 1, 'SUCCESS' FROM n`,
          last,
          count,
        );
      });
    const each: number[] = [];
    for (const count of [500, 4_000]) {
      await fill(count);
      const read = await countRowsRead(live);
      expect(await look(live)).toMatchObject({ complete: true });
      each.push((await read()) / count);
    }
    const [few = 0, many = 0] = each;
    expect(few).toBeGreaterThan(2);
    expect(few).toBeLessThan(30);
    expect(many).toBeLessThan(few * 1.2);
  });
});

describe("forgetting", () => {
  it("leaves everything in place until the archive has it", async () => {
    const { live, archive } = await ended(5);
    archive.fails = () => "before";
    await advance(live, 30 * DAY);
    expect((await complete(live)) ?? true).toBe(false);
    expect([await count(live, "runs"), await count(live, "events")]).toEqual([5, 5]);
    archive.fails = () => null;
    await look(live);
    expect([await count(live, "runs"), await count(live, "events")]).toEqual([0, 0]);
  });

  it("keeps the event of a waiting run, and of a rerun", async () => {
    const { live, host } = await ended(2);
    const [first] = await getRuns(live);
    await sendMany(live, 1);
    const waiting = await startNext(host);
    await advance(live, 8 * DAY - HOUR);
    await request(`/api/v1/runs/${first?.id}/rerun`, withKey(live.key, { method: "POST" }));
    const again = await startNext(host);
    await host.complete(again.id, "again");
    await advance(live, 2 * HOUR);
    await look(live);
    // The waiting run, and the rerun, whose first run is gone; each with its event.
    expect([await count(live, "runs"), await count(live, "events")]).toEqual([2, 2]);
    await host.complete(waiting.id, "at last");
    await advance(live, 9 * DAY);
    await look(live);
    expect([await count(live, "runs"), await count(live, "events"), await count(live, "reruns")]).toEqual([0, 0, 0]);
  });

  it("takes a run's steps and items along, and thousands of steps in slices", async () => {
    const { live } = await ended(2);
    await inside(live.stub, ({ storage: { sql } }) => {
      const { id } = sql.exec<{ id: number }>("SELECT min(id) AS id FROM runs").one();
      sql.exec(
        `INSERT INTO steps (run, kind, key, attempt, created_at, finished_at, detail)
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
         SELECT ?, 'LOG_MESSAGE', i, 0, 0, 0, '{}' FROM n`,
        id,
      );
    });
    await advance(live, 8 * DAY);
    await look(live);
    expect([await count(live, "runs"), await count(live, "steps"), await count(live, "forgotten_runs")]).toEqual([
      0, 0, 0,
    ]);
  });

  it("keeps an event's id until the time its sender was told, even if the retention was shortened meanwhile", async () => {
    const { live, host } = await ended(1);
    const posted = await post(live.key, "/api/v1/events", { id: "promised", event: { name: EVENT, payload: {} } });
    const { keptUntil } = (await posted.json()) as { keptUntil: string };
    const { id } = await startNext(host);
    await host.complete(id, "done");
    await live.stub.provision({ ...live.state, revision: 2, retention: { days: 1, historyDays: 90 } });
    const again = () => post(live.key, "/api/v1/events", { id: "promised", event: { name: EVENT, payload: {} } });
    for (const day of [2, 4]) {
      await advance(live, 2 * DAY);
      await look(live);
      expect(await count(live, "runs"), `day ${day}`).toBe(0);
      expect((await again()).headers.get("Idempotent-Replayed")).toBe("true");
    }
    await advance(live, 4 * DAY);
    await look(live);
    expect(Date.parse(keptUntil)).toBeLessThan(Date.now() + 8 * DAY);
    expect((await again()).headers.get("Idempotent-Replayed")).toBeNull();
  });
});

async function complete(live: TestEnvironment): Promise<boolean | null> {
  const done = await look(live);
  return done === "gone" ? null : done.complete;
}

const getRuns = async (live: TestEnvironment) =>
  (await getJson<{ data: { id: string }[] }>(live.key, `/api/v1/runs?workflow=${WORKFLOW}`)).data;

describe("an object that is nearly full", () => {
  it("refuses new events and says what to do, while runs end and old rows are deleted", async () => {
    const { live, host } = await ended(3);
    await sendMany(live, 1);
    const running = await startNext(host);
    await advance(live, 8 * DAY);
    await inside(live.stub, ({ storage }) => {
      const size = storage.sql.databaseSize;
      Object.defineProperty(storage.sql, "databaseSize", {
        configurable: true,
        get: () => (storage.sql.exec("SELECT 1 FROM runs LIMIT 2").toArray().length === 2 ? 10e9 : size),
      });
    });
    const refused = await post(live.key, "/api/v1/events", { event: { name: EVENT, payload: {} } });
    expect([refused.status, ((await refused.json()) as { error: string }).error]).toEqual([
      507,
      expect.stringContaining("retentionDays"),
    ]);
    const batch = await post(live.key, "/api/v1/events", [{ event: { name: EVENT, payload: {} } }]);
    expect(await batch.json()).toEqual([expect.objectContaining({ status: 507 })]);
    expect(await host.complete(running.id, "done")).toBe(true);
    await look(live);
    await advance(live, 2_000);
    expect((await post(live.key, "/api/v1/events", { event: { name: EVENT, payload: {} } })).status).toBe(200);
  });
});
