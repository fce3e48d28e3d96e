// Nothing lost and nothing doubled while hosts come and go.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import type { Run } from "../../shared/api/runs.ts";
import type { Child } from "./children.ts";
import { Connection, dataDirectory, type Router, readLog, startHost, startRouter, until } from "./support.ts";

const EVENTS = 1_000;
const CONNECTIONS = 20;
/** Events accepted when one of the two hosts is killed, and when its successor is started. */
const KILLED_AFTER = 300;
const RESTARTED_AFTER = 500;
/** Events that are sent only when the successor is there. */
const HELD_BACK = 200;
/** Runs that the killed host has begun and not finished, at least. */
const KEPT = 5;
const ALL_ENDED_WITHIN_MS = 60_000;

let router: Router;
let file: string;

beforeAll(async () => {
  router = await startRouter();
  file = join(await dataDirectory(), "counted");
});

it("completes each of 1,000 events once when one of two hosts is killed in the middle and started again", async () => {
  const startCounter = (env: Record<string, string> = {}) =>
    startHost(router, "development", "counter.ts", { env: { COUNTER_FILE: file, ...env } });
  const killed = await startCounter({ COUNTER_KEEPS: String(KEPT) });
  const steady = await startCounter();
  let successor: Promise<Child> | undefined;

  let accepted = 0;
  const when = new Map<number, () => void>([
    [KILLED_AFTER, () => void killed.stop("SIGKILL")],
    [RESTARTED_AFTER, () => (successor = startCounter())],
  ]);
  const made = new Map<string, number>();
  const numbers = Array.from({ length: EVENTS }, (_, n) => n).values();
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      const connection = new Connection(router, "development");
      for (const n of numbers) {
        if (n >= EVENTS - HELD_BACK) await successor;
        const { runs } = await connection.event("count.this", { n }, `event-${n}`);
        expect(runs).toHaveLength(1);
        for (const { id } of runs) made.set(id, n);
        accepted++;
        when.get(accepted)?.();
      }
      connection.close();
    }),
  );
  expect(accepted).toBe(EVENTS);
  expect(made.size, "runs that the senders were told of").toBe(EVENTS);
  expect(killed.end?.signal).toBe("SIGKILL");

  const reader = new Connection(router, "development");
  const runs = await until(
    "all runs have ended",
    async () => {
      const all = await reader.runs();
      return all.every(({ finishedAt }) => finishedAt !== undefined) ? all : null;
    },
    ALL_ENDED_WITHIN_MS,
  );

  const executions = await readExecutions();
  const completions = await countCompletions();
  const replayed = runs.filter(({ attempts }) => attempts > 1);
  const ranOn = (host: Child | undefined) => executions.filter(({ pid }) => pid === host?.pid).length;
  console.log(
    JSON.stringify({
      events: accepted,
      runs: runs.length,
      success: runs.filter(({ status }) => status === "SUCCESS").length,
      executions: executions.length,
      executedOn: { killed: ranOn(killed), steady: ranOn(steady), successor: ranOn(await successor) },
      startedMoreThanOnce: replayed.length,
      completions: [...completions.values()].reduce((sum, count) => sum + count, 0),
    }),
  );

  expect(new Set(runs.map(({ id }) => id))).toEqual(new Set(made.keys()));
  expect(runs).toHaveLength(EVENTS);
  expect(runs.filter(({ status }) => status !== "SUCCESS")).toEqual([]);
  // Otherwise nothing was tried.
  expect(replayed.length).toBeGreaterThanOrEqual(KEPT);
  expect(ranOn(await successor)).toBeGreaterThan(0);
  for (const { id, attempts } of runs) {
    const times = executions.filter(({ run }) => run === id).length;
    // A host that died mid-way may have left its line, or not; whoever completed the run has.
    expect(times, `executions of ${id}, started ${attempts} times`).toBeGreaterThanOrEqual(1);
    expect(times, `executions of ${id}, started ${attempts} times`).toBeLessThanOrEqual(attempts);
    expect(completions.get(id), `completions of ${id}`).toBe(1);
  }
  for (const { id } of replayed.slice(0, 5)) {
    const run = await reader.run(id);
    expect(run).toMatchObject({ status: "SUCCESS", output: { n: made.get(id) } } satisfies Partial<Run>);
    expect(run.tasks.filter(({ type }) => type === "DISCONNECTION")).toHaveLength(run.attempts - 1);
  }
  reader.close();
});

/** Every time that the workflow's code ran. */
async function readExecutions(): Promise<{ run: string; pid: number }[]> {
  const lines = (await readFile(file, "utf8")).split("\n").filter((line) => line !== "");
  return lines.map((line) => {
    const [run = "", pid] = line.split(" ");
    return { run, pid: Number(pid) };
  });
}

/** How often the router says that each run has ended with success. */
async function countCompletions(): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const line of await readLog(router)) {
    const { message, run, status } = JSON.parse(line) as { message: string; run: string; status: string };
    if (message === "run" && status === "SUCCESS") counts.set(run, (counts.get(run) ?? 0) + 1);
  }
  return counts;
}
