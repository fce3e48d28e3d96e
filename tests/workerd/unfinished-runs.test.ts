// Open runs are found, although most of them are in no index.
import { evictDurableObject } from "cloudflare:test";
import { afterEach, expect, it } from "vitest";
import { MEMBER } from "../../shared/contracts/environment.ts";
import { RECENT_RUNS } from "../../shared/kernel/limits.ts";
import { indexOpenRuns } from "../../workers/environment/runs/run-rows.ts";
import { OpenRunIndex } from "../../workers/environment/state/open-run-index.ts";
import { countRows, countRowsRead } from "./count-rows.ts";
import { advance, EVENT, HOUR, hostOf, lose, sendMany, startNext, takeAll, WORKFLOW } from "./durable-support.ts";
import { seeded } from "./seeded.ts";
import {
  advanceClock,
  eventually,
  getJson,
  injectBug,
  inside,
  makeEnvironment,
  resetClock,
  rows,
  send,
  type TestEnvironment,
  TestHost,
} from "./support.ts";

afterEach(resetClock);

const ids = (sql: SqlStorage, query: string) =>
  sql
    .exec<{ id: number }>(query)
    .toArray()
    .map(({ id }) => id);

it.each([1, 2, 3, 4])(
  "finds all open runs, whatever was made, ended, forgotten and started anew: seed %s",
  async (seed) => {
    const { stub } = await makeEnvironment("live");
    await inside(stub, ({ storage }) => {
      const { sql } = storage;
      const random = seeded(seed);
      const openIndex = () => new OpenRunIndex(sql, (until) => indexOpenRuns({ sql }, until));
      let recent = openIndex();
      let last = 0;
      let most = 0;
      const make = (id: number) => {
        sql.exec(
          "INSERT INTO runs (id, workflow, event, expires_at, indexed) VALUES (?, ?, 1, 0, ?)",
          id,
          Math.floor(random() * 3),
          random() < 0.2 ? 1 : 0,
        );
        recent.noteMade();
      };
      for (let step = 0; step < 6 * RECENT_RUNS; step++) {
        const chance = random();
        if (chance < 0.6) {
          last += 1 + Math.floor(random() * 5);
          sql.exec(
            "INSERT INTO runs (id, workflow, event, expires_at, indexed) VALUES (?, ?, 1, 0, ?)",
            last,
            Math.floor(random() * 3),
            random() < 0.2 ? 1 : 0,
          );
          recent.noteMade();
        } else if (chance < 0.995) {
          // Most end soon, some late.
          const from = random() < 0.9 ? last - 20 : Math.floor(random() * last);
          sql.exec(
            "UPDATE runs SET finished_at = 1 WHERE id = (SELECT min(id) FROM unfinished_runs WHERE id > ?)",
            from,
          );
        } else if (chance < 0.997) recent = openIndex();
        else if (chance < 0.999) {
          // An operation that makes runs and fails.
          try {
            storage.transactionSync(() => {
              for (let run = 1; run <= RECENT_RUNS / 5; run++) make(last + run);
              throw new Error("undone");
            });
          } catch {
            recent.recount();
          }
        } else sql.exec("DELETE FROM runs WHERE finished_at IS NOT NULL AND id < ?", Math.floor(random() * last));
        if (step % 50 > 0) continue;
        const open = ids(sql, "SELECT id FROM runs WHERE finished_at IS NULL ORDER BY id");
        expect(ids(sql, "SELECT id FROM unfinished_runs ORDER BY id")).toEqual(open);
        most = Math.max(most, ids(sql, "SELECT id FROM runs WHERE id > (SELECT until FROM indexed_runs)").length);
      }
      expect(most).toBeGreaterThan(RECENT_RUNS / 2);
      expect(most).toBeLessThanOrEqual(RECENT_RUNS);
    });
  },
);

/** Three open runs, below more ended runs than one scan reads, and no host. */
async function threeBeforeMany(): Promise<{ live: TestEnvironment; open: string[] }> {
  const live = await makeEnvironment("live");
  const host = await hostOf(live);
  await sendMany(live, 3);
  const open = await takeAll(host, 3, async () => {});
  await inside(live.stub, ({ storage: { sql } }) => {
    sql.exec(
      `INSERT INTO runs (id, workflow, event, expires_at, finished_at, status, indexed)
       WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
       SELECT (SELECT max(id) FROM runs) + i, 1, 1, 0, 1, 'SUCCESS', 0 FROM n`,

      6 * RECENT_RUNS,
    );
  });
  await evictDurableObject(live.stub, { webSockets: "hibernate" });
  await lose(live, host);
  return { live, open };
}

it("counts long open runs as waiting and gives them to the next host, without reading ended ones", async () => {
  const { live, open } = await threeBeforeMany();
  await advance(live, 2 * HOUR);
  const read = await countRowsRead(live);
  const activity = await live.stub.readActivity(MEMBER);
  expect(activity).toMatchObject({ value: { attention: [{ kind: "no host", workflow: WORKFLOW, runs: 3 }] } });
  const next = await hostOf(live);
  expect(await takeAll(next, 3, (id) => next.complete(id, null))).toEqual(open);
  // Each of several searches scans half of RECENT_RUNS, the most recent ones.
  expect(await read()).toBeLessThan(4 * RECENT_RUNS);
  expect(await rows(live, "SELECT id FROM unfinished_runs")).toEqual([]);
  expect(next.received).toEqual([]);
});

it("cancels long open runs with their workflow", async () => {
  const { live, open } = await threeBeforeMany();
  expect(await live.stub.changeWorkflow(MEMBER, WORKFLOW, "deregister")).toMatchObject({ value: "done" });
  const { data } = await getJson<{ data: { id: string }[] }>(live.key, "/api/v1/runs?status=CANCELED");
  expect(data.map(({ id }) => id).toSorted()).toEqual(open.toSorted());
});

it("continues a search where the last one ended, whatever runs lie in between", async () => {
  const live = await makeEnvironment("live");
  const host = await hostOf(live);
  await TestHost.listening(live.key, "other", "other");
  const between = RECENT_RUNS / 2;
  await sendMany(live, between);
  await takeAll(host, between, (id) => host.complete(id, null));
  const read = await countRowsRead(live);
  const reads: number[] = [];
  for (let search = 0; search < 3; search++) {
    const before = await read();
    await live.stub.changeWorkflow(MEMBER, "other", "resume");
    reads.push((await read()) - before);
  }
  const [first = 0, ...later] = reads;
  expect(first).toBeGreaterThan(between);
  expect(first).toBeLessThan(1.2 * between);
  expect(Math.max(...later)).toBeLessThan(20);
});

it("writes no index entry for a run that ends soon, and one for a run that stays or waits for a host", async () => {
  const live = await makeEnvironment("live");
  const host = await hostOf(live);
  const written = await countRows(live);
  const costs = async (work: () => Promise<unknown>) => {
    const before = await written();
    await work();
    return (await written()) - before;
  };
  // An event without an id, its run, the run's end.
  expect(
    await costs(() =>
      send(live.key, EVENT)
        .then(() => startNext(host))
        .then(({ id }) => host.complete(id, 1)),
    ),
  ).toBe(3);
  await lose(live, host);
  expect(await costs(() => send(live.key, EVENT))).toBe(3);
});

it("finds a run that is made after all others were forgotten and the clock has gone back", async () => {
  const { live, open } = await threeBeforeMany();
  const first = await hostOf(live);
  await takeAll(first, 3, (id) => first.complete(id, null));
  await lose(live, first);
  await inside(live.stub, ({ storage: { sql } }) => {
    sql.exec("DELETE FROM runs");
    sql.exec("DELETE FROM events");
  });
  await evictDurableObject(live.stub);
  advanceClock(-HOUR);
  const host = await hostOf(live);
  await send(live.key, EVENT);
  const { id } = await startNext(host);
  expect(open).not.toContain(id);
  expect(await rows(live, "SELECT id FROM unfinished_runs")).toHaveLength(1);
});

it("finds a run again when the changes to it were rolled back", async () => {
  const live = await makeEnvironment("live");
  const host = await hostOf(live);
  await lose(live, host);
  await sendMany(live, 1);
  await inside(live.stub, ({ storage: { sql } }) => sql.exec("DELETE FROM events"));
  let searches = 0;
  await injectBug(live, (query) => query.includes("FROM indexed_runs") && ++searches === 2);
  await hostOf(live);
  await eventually(() => expect(searches).toBeGreaterThanOrEqual(2));
  await inside(live.stub, ({ storage }) => void Reflect.deleteProperty(storage.sql, "exec"));
  expect(await rows(live, "SELECT id FROM unfinished_runs")).toHaveLength(1);
  await live.stub.changeWorkflow(MEMBER, WORKFLOW, "resume");
  expect(await rows(live, "SELECT status FROM runs")).toEqual([{ status: "ERROR" }]);
});
