// Filters of the runs list for members. Neither a filter by time or id nor the size of the environment costs more: the
// test counts the rows that a page reads. `npm run scale:runs` does the same with a million runs.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RunsPage, RunsQuery } from "../../shared/api/runs.ts";
import type { WorkflowsPage } from "../../shared/api/workflows.ts";
import { MEMBER } from "../../shared/contracts/environment.ts";
import { runId } from "../../shared/ids/ids.ts";
import { SCAN_MAX } from "../../workers/environment/views/runs.ts";
import {
  advanceClock,
  bindings,
  getJson,
  inside,
  makeEnvironment,
  resetClock,
  send,
  type TestEnvironment,
  TestHost,
} from "./support.ts";

const SCALE_RUNS = Number((bindings as unknown as { readonly SCALE_RUNS: string }).SCALE_RUNS);
const LIMIT = 50;

let live: TestEnvironment;
beforeEach(async () => {
  live = await makeEnvironment("live");
  for (const [workflow, event] of [
    ["starter", "Order.Paid"],
    ["other", "refunded"],
  ] as const) {
    await TestHost.listening(live.key, workflow, event);
  }
});
afterEach(resetClock);

async function list(query: Partial<RunsQuery> = {}): Promise<RunsPage> {
  const answer = await live.stub.listRuns(MEMBER, { limit: LIMIT, cursor: null, status: null, ...query });
  if (!answer.ok || answer.value === "no such cursor") throw new Error("refused");
  return answer.value;
}
const ids = async (query: Partial<RunsQuery>): Promise<string[]> => (await list(query)).data.map(({ id }) => id);

async function run(name: string, id: string): Promise<string> {
  return (await send(live.key, name, {}, id)).runs[0]?.id ?? "";
}

describe("the list of runs", () => {
  it("selects by the time they were made, the end left out", async () => {
    const started = Date.now();
    const first = await run("refunded", "a");
    advanceClock(60_000);
    const second = await run("refunded", "b");
    advanceClock(60_000);
    const third = await run("refunded", "c");
    expect(await ids({ from: started + 30_000 })).toEqual([third, second]);
    expect(await ids({ until: started + 90_000 })).toEqual([second, first]);
    expect(await ids({ from: started + 30_000, until: started + 90_000 })).toEqual([second]);
    expect(await ids({ from: started + 90_000, until: started + 30_000 })).toEqual([]);
    // A cursor stays within the times.
    const { next } = await list({ until: started + 90_000, limit: 1 });
    expect(await ids({ until: started + 90_000, cursor: next })).toEqual([first]);
  });

  it("selects tests, or leaves them out", async () => {
    const real = await run("Order.Paid", "a");
    const tested = await live.stub.testWorkflow(MEMBER, "starter", {
      payload: "{}",
      context: null,
      digest: new Uint8Array(16),
    });
    if (!tested.ok || typeof tested.value === "string") throw new Error("not tested");
    expect(await ids({ isTest: true })).toEqual([tested.value.event.runs[0]?.id]);
    expect(await ids({ isTest: false })).toEqual([real]);
  });

  it("selects by their own id, their event's id or name, or their error, in upper or lower case", async () => {
    const paid = await run("Order.Paid", "order-17");
    const refunded = await run("refunded", "Ärger");
    await inside(live.stub, ({ storage }) =>
      storage.sql.exec(
        "UPDATE runs SET finished_at = 1, status = 'ERROR', error = ? WHERE workflow = (SELECT number FROM workflows WHERE slug = 'other')",
        JSON.stringify({ name: "TypeError", message: "No Stock" }),
      ),
    );
    for (const text of [paid, "order-17", "ORDER.P", "rder-1"]) expect(await ids({ text })).toEqual([paid]);
    for (const text of [refunded, "ÄRGER", "no stock", "typeerror"]) expect(await ids({ text })).toEqual([refunded]);
    for (const text of ["nothing", "%", "_", "run_none", `${paid}x`]) expect(await ids({ text })).toEqual([]);
  });

  it("selects by the id that the router gave an event", async () => {
    const { id, runs } = await send(live.key, "refunded");
    expect(id).toMatch(/^evt_/);
    expect(await ids({ text: id })).toEqual([runs[0]?.id]);
  });
});

it("shows the last run of each workflow in the list of workflows", async () => {
  const lastRuns = async () => {
    const { data } = await getJson<WorkflowsPage>(live.key, "/api/v1/workflows");
    return data.map(({ slug, lastRun }) => [slug, lastRun?.id]);
  };
  expect(await lastRuns()).toEqual([
    ["other", undefined],
    ["starter", undefined],
  ]);
  await run("Order.Paid", "a");
  const last = await run("Order.Paid", "b");
  expect(await lastRuns()).toEqual([
    ["other", undefined],
    ["starter", last],
  ]);
});

describe(`${SCALE_RUNS.toLocaleString("en")} runs`, () => {
  /** Reads of the object from here on: number of rows, and time. */
  async function reading<T>(work: () => Promise<T>): Promise<{ value: T; rows: number; ms: number }> {
    const cursors: { rowsRead: number }[] = [];
    const stop = await inside(live.stub, ({ storage: { sql } }) => {
      const exec = sql.exec.bind(sql) as (query: string, ...values: unknown[]) => SqlStorageCursor<never>;
      sql.exec = ((query: string, ...values: unknown[]) => {
        const cursor = exec(query, ...values);
        cursors.push(cursor);
        return cursor;
      }) as typeof sql.exec;
      return () => {
        sql.exec = exec as typeof sql.exec;
      };
    });
    const started = performance.now();
    const value = await work();
    const ms = performance.now() - started;
    const rows = await inside(live.stub, () => {
      stop();
      return cursors.reduce((sum, { rowsRead }) => sum + rowsRead, 0);
    });
    return { value, rows, ms };
  }

  async function fill(): Promise<{ oldest: string; middle: string }> {
    const oldest = await run("refunded", "the very first");
    await run("Order.Paid", "order-17");
    await inside(live.stub, ({ storage }) => {
      storage.sql.exec(
        `INSERT INTO runs (id, workflow, event, expires_at, started_at, finished_at, status, output)
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
         SELECT r.id + n.i * 4096, r.workflow, r.event, r.expires_at, 1, 2, 'SUCCESS', '{}'
         FROM n, (SELECT * FROM runs ORDER BY id DESC LIMIT 1) r`,
        SCALE_RUNS,
      );
    });
    const middle = await inside(
      live.stub,
      ({ storage }) =>
        storage.sql.exec<{ id: number }>("SELECT id FROM runs ORDER BY id LIMIT 1 OFFSET ?", SCALE_RUNS / 2).one().id,
    );
    return { oldest, middle: runId(live.id, middle) };
  }

  it("cost as few rows on every page as on the first, and an old one is found by its id or time at once", async () => {
    const { oldest, middle } = await fill();
    const first = await reading(() => list());
    expect(first.value.data).toHaveLength(LIMIT);
    // A run and its event each, and one more that shows that there is a next page.
    expect(first.rows).toBeLessThanOrEqual(2 * (LIMIT + 1) + 4);
    const second = await reading(() => list({ cursor: first.value.next }));
    const deep = await reading(() => list({ cursor: middle }));
    expect([second.rows, deep.rows]).toEqual([first.rows, first.rows]);

    const byId = await reading(() => ids({ text: oldest }));
    expect(byId.value).toEqual([oldest]);
    const byTime = await reading(() => ids({ until: Date.now() - 3_600_000 }));
    expect(byTime.value).toEqual([]);
    for (const { rows } of [byId, byTime]) expect(rows).toBeLessThan(10);

    const filtered = await reading(() => list({ text: "no run has this" }));
    expect(filtered.value.data).toEqual([]);
    expect(filtered.value.next === null).toBe(SCALE_RUNS < SCAN_MAX);
    expect(filtered.rows).toBeLessThanOrEqual(2 * (SCAN_MAX + 1) + 4);
    const ms = (each: { ms: number }) => `${each.ms.toFixed(1)} ms`;
    console.log(
      `${SCALE_RUNS} runs: first page ${first.rows} rows in ${ms(first)}, second ${ms(second)}, ` +
        `in the middle ${deep.rows} rows in ${ms(deep)}; by id ${byId.rows} rows in ${ms(byId)}; ` +
        `a text that nothing has ${filtered.rows} rows in ${ms(filtered)}`,
    );
    expect(first.ms).toBeLessThan(1_000);
  }, 120_000);
});
