// `npm run scale:history`: a million ended runs go to Postgres while requests and answers are lost and connections are cut,
// and are read to the last, each once, field by field. Then what a backlog on its way costs those who send events. In
// `npm test` the same with few, and without a judgement of times: a busy machine has none to give.
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findMarked } from "../../scripts/local/processes.ts";
import { type ControlPlane, DATABASE, makeOrganization, startControlPlane } from "./control-plane.ts";
import type { Fault } from "./faulty-proxy.ts";
import { startWorkingHost } from "./working-host.ts";

const RUNS = Number(process.env.HISTORY_RUNS ?? 3_000);
const BACKLOG = Number(process.env.HISTORY_BACKLOG ?? 1_000);
const ROUNDS = Number(process.env.HISTORY_ROUNDS ?? 1);
const SEED = Number(process.env.HISTORY_SEED ?? 20261125);
/** Runs that a host completes; the rest times out, which takes no host's time. */
const COMPLETED = Math.min(RUNS / 2, 20_000);
const ROUND_MS = process.env.HISTORY_ROUNDS === undefined ? 500 : 4_000;
const LONG = 3_600_000;

const ORG = "/api/v1/organizations/acme";
const LIVE = `${ORG}/environments/live`;

let plane: ControlPlane;
let owner: string;
let key: string;
let fault: () => Fault = () => "none";
let seed = SEED;
const random = () => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 2 ** 32;
};

beforeAll(async () => {
  plane = await startControlPlane({
    bindings: { CLOCK: "movable", ARCHIVE_EVERY_MINUTES: "0", ARCHIVE_AFTER_EVENTS: "999999999" },
    faults: (request) => (request.includes("INSERT INTO history") ? fault() : "none"),
  });
  ({ owner } = await makeOrganization(plane, "acme"));
  const [{ id }] = (await plane.must("GET", `${LIVE}/keys`, { as: owner })).body.data;
  key = (await plane.must("POST", `${LIVE}/keys/${id}/show`, { as: owner })).body.key;
});
afterAll(() => plane.stop());

const payloadOf = (n: number) => ({
  n,
  text: `order ${n} \u0000 ${"x".repeat(n % 97)}`,
  nested: { list: [n, null, "\ud800"] },
});

async function post(from: number, count: number, name: string): Promise<void> {
  for (let at = from; at < from + count; at += 500) {
    const size = Math.min(500, from + count - at);
    const events = Array.from({ length: size }, (_, i) => ({
      id: `e${at + i}`,
      event: { name, payload: payloadOf(at + i) },
    }));
    const { body } = await plane.must("POST", "/api/v1/events", { as: key, body: events });
    for (const { status } of body) if (status !== 200) throw new Error(`an event was answered ${status}`);
  }
}

const waiting = (workflow: string, run: (payload: unknown, calls: { complete(output: string): void }) => void) =>
  startWorkingHost({ url: plane.url, key, workflow, event: workflow, timeToLiveSeconds: 1, run });
const backlog = async (): Promise<number> => {
  const { runs, events } = (await plane.must("GET", `${LIVE}/history`, { as: owner })).body.backlog;
  return runs + events;
};
/** Asks for the archive, and for it again when it failed or the answer takes too long. */
async function archiveAll(): Promise<number> {
  let failed = 0;
  for (;;) {
    const asked = fetch(`${plane.url}${LIVE}/history/archive`, {
      method: "POST",
      headers: { authorization: `Bearer ${owner}` },
      signal: AbortSignal.timeout(120_000),
    });
    const status = await asked.then(({ status }) => status).catch(() => 0);
    if (status === 200 && (await backlog()) === 0) return failed;
    if (status === 503) failed += 1;
  }
}

describe(`${RUNS} ended runs (seed ${SEED}), on ${DATABASE}`, () => {
  it("are archived and read to the last, each once, as they were sent, whatever is lost on the way", {
    timeout: LONG,
  }, async () => {
    let completed = 0;
    const host = await waiting("done", (payload, calls) => {
      completed += 1;
      calls.complete(JSON.stringify((payload as { n: number }).n));
    });
    await (await waiting("timed-out", () => {})).close();
    const started = performance.now();
    await post(0, COMPLETED, "done");
    await post(COMPLETED, RUNS - COMPLETED, "timed-out");
    const posted = performance.now();
    await expect.poll(() => completed, { timeout: 300_000 }).toBe(COMPLETED);
    await expect
      .poll(async () => (await plane.must("GET", "/api/v1/runs?status=RUNNING", { as: key })).body.data.length, {
        timeout: 60_000,
      })
      .toBe(0);
    await plane.must("POST", "/local/clock", { body: { advanceMs: 2_000 } });
    await host.close();

    const ended = performance.now();
    let lost = 0;
    let cut = 0;
    fault = () => {
      const dice = random();
      if (dice < 0.004) lost += 1;
      return dice < 0.002 ? "answer lost" : dice < 0.004 ? "request lost" : "none";
    };
    let over = false;
    const cutting = (async () => {
      while (!over) {
        await new Promise((resolve) => setTimeout(resolve, 500 + random() * 4_000));
        if (over) return;
        cut += 1;
        await plane.setPostgres(false);
        await plane.setPostgres(true);
      }
    })();
    const failed = await archiveAll();
    over = true;
    await cutting;
    fault = () => "none";
    const archived = performance.now();

    // Everything is older than the retention now: the object forgets it.
    await plane.must("POST", "/local/clock", { body: { advanceMs: 8 * 24 * 3_600_000 } });
    await archiveAll();
    const seen = new Uint8Array(RUNS);
    const response = await fetch(`${plane.url}${LIVE}/export`, { headers: { authorization: `Bearer ${owner}` } });
    let rest = "";
    const decoder = new TextDecoder();
    let last = "~";
    for await (const chunk of response.body ?? []) {
      rest += decoder.decode(chunk, { stream: true });
      const lines = rest.split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const run = JSON.parse(line);
        const n = run.event.payload.n as number;
        expect(run.id < last).toBe(true);
        last = run.id;
        seen[n] = (seen[n] ?? 0) + 1;
        const expected = {
          workflow: { slug: n < COMPLETED ? "done" : "timed-out", name: n < COMPLETED ? "done" : "timed-out" },
          status: n < COMPLETED ? "SUCCESS" : "TIMED_OUT",
          isTest: false,
          event: { id: `e${n}`, name: n < COMPLETED ? "done" : "timed-out", payload: payloadOf(n) },
          ...(n < COMPLETED && { output: n }),
        };
        expect(run).toMatchObject(expected);
      }
    }
    expect(rest).toBe("");
    expect(seen.every((times) => times === 1)).toBe(true);
    const { rows } = await plane.pool.query(
      "SELECT (SELECT count(*)::int FROM history_runs) AS runs, (SELECT sum(runs)::int FROM history_hours) AS counted",
    );
    expect(rows).toEqual([{ runs: RUNS, counted: RUNS }]);
    const seconds = (ms: number) => Math.round(ms / 1_000);
    console.log(
      JSON.stringify({
        seed: SEED,
        runs: RUNS,
        postedS: seconds(posted - started),
        endedS: seconds(ended - posted),
        archivedS: seconds(archived - ended),
        readS: seconds(performance.now() - archived),
        lost,
        cut,
        failed,
      }),
    );
  });

  it("on their way delay no event, and take no more memory", { timeout: LONG }, async () => {
    await (await waiting("backlog", () => {})).close();
    await post(10_000_000, BACKLOG, "backlog");
    await plane.must("POST", "/local/clock", { body: { advanceMs: 2_000 } });
    const quiet: number[][] = [];
    const draining: number[][] = [];
    const memory: { quiet: number[]; draining: number[] } = { quiet: [], draining: [] };
    for (let round = 0; round < ROUNDS; round++) {
      // A drain that fails stops: the next one goes on where it was.
      fault = () => "request lost";
      await fetch(`${plane.url}${LIVE}/history/archive`, {
        method: "POST",
        headers: { authorization: `Bearer ${owner}` },
      });
      quiet.push(await measure());
      memory.quiet.push(await memoryOf(plane));
      fault = () => "none";
      const drain = fetch(`${plane.url}${LIVE}/history/archive`, {
        method: "POST",
        headers: { authorization: `Bearer ${owner}` },
      }).then((answer) => answer.status);
      draining.push(await measure());
      memory.draining.push(await memoryOf(plane));
      fault = () => "request lost";
      await drain;
    }
    fault = () => "none";
    const left = await backlog();
    await archiveAll();
    const p99 = (rounds: number[][]) => median(rounds.map((each) => quantile(each, 0.99)));
    const p50 = (rounds: number[][]) => median(rounds.map((each) => quantile(each, 0.5)));
    const figures = {
      backlog: BACKLOG,
      left,
      rounds: ROUNDS,
      quietMs: [p50(quiet), p99(quiet)],
      drainingMs: [p50(draining), p99(draining)],
      memoryMb: [median(memory.quiet), median(memory.draining)],
    };
    console.log(JSON.stringify(figures));
    if (process.env.HISTORY_ROUNDS === undefined) return;
    expect(left, "the backlog outlasts the rounds").toBeGreaterThan(0);
    expect(p99(draining)).toBeLessThanOrEqual(1.5 * p99(quiet));
  });
});

/** Milliseconds that each of some events took to be acknowledged, one every 10 ms. */
async function measure(): Promise<number[]> {
  const times: Promise<number>[] = [];
  const started = performance.now();
  for (let sent = 0; performance.now() - started < ROUND_MS; sent++) {
    const due = started + sent * 10;
    const wait = due - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    const begun = performance.now();
    times.push(
      plane
        .must("POST", "/api/v1/events", { as: key, body: { event: { name: "nobody listens", payload: { sent } } } })
        .then(() => performance.now() - begun),
    );
  }
  return Promise.all(times);
}

/** Megabytes that the runtime has in memory. */
async function memoryOf({ directory }: ControlPlane): Promise<number> {
  const processes = await findMarked("workerd", "SWITCHYARD_DATA", directory);
  const kilobytes = processes.map((pid) =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0),
  );
  return Math.round(kilobytes.reduce((sum, each) => sum + each, 0) / 1_024);
}

const quantile = (values: readonly number[], part: number): number =>
  round([...values].sort((a, b) => a - b)[Math.max(0, Math.ceil(values.length * part) - 1)] ?? 0);
const median = (values: readonly number[]): number => quantile(values, 0.5);
const round = (ms: number): number => Math.round(ms * 10) / 10;
