// The router killed at random moments while durable runs are in flight. Seeded: the same seed kills after the same
// pauses. `npm test` runs a short form; `npm run chaos` the full one (CHAOS_KILLS=50, CHAOS_RUNS=200).
//
// The reference client's process exits when it calls while there is no connection, so the host runs under a supervisor
// that starts it again, and the exits are counted.
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, expect, it } from "vitest";
import { endProcesses } from "../../scripts/local/processes.ts";
import {
  Connection,
  dataDirectory,
  portOf,
  type Router,
  runtimesOn,
  startReference,
  startRouter,
  until,
} from "./support.ts";

const KILLS = Number(process.env.CHAOS_KILLS ?? 3);
const RUNS = Number(process.env.CHAOS_RUNS ?? 30);
const SEED = Number(process.env.CHAOS_SEED ?? 20261122);
/** Rounds of a run; each takes more than a second of a router that is up, so that many runs see several kills. */
const ROUNDS = Number(process.env.CHAOS_ROUNDS ?? 4);
/** The longest pause between a router that takes requests and its end. */
const LIVES_AT_MOST_MS = 2_500;
const ALL_ENDED_WITHIN_MS = 300_000;

const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) server.close();
});

/** mulberry32: small, seeded, good enough to choose moments. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A target that answers with the number in its path and counts the calls. */
async function startTarget(): Promise<{ url: string; calls: Map<string, number> }> {
  const calls = new Map<string, number>();
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    calls.set(path, (calls.get(path) ?? 0) + 1);
    response.setHeader("content-type", "application/json").end(JSON.stringify({ path }));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, calls };
}

/** Keeps one host of a program running until it is told to stop; answers how often it ended by itself. */
function supervise(router: () => Router, program: string, env: Record<string, string>): { stop(): Promise<number> } {
  let stopped = false;
  let exits = 0;
  let host = startReference(router(), "development", program, env);
  const loop = (async () => {
    while (!stopped) {
      await until("the host ends", async () => host.end, Number.POSITIVE_INFINITY);
      if (stopped) return;
      exits++;
      host = startReference(router(), "development", program, env);
    }
  })();
  return {
    async stop() {
      stopped = true;
      await host.stop("SIGKILL");
      await loop;
      return exits;
    },
  };
}

it(`ends each of ${RUNS} durable runs once, with their effects, while the router is killed ${KILLS} times`, async () => {
  const target = await startTarget();
  const effectsFile = join(await dataDirectory(), "effects");
  let router = await startRouter();
  const port = portOf(router);
  const host = supervise(() => router, "durable.ts", { EFFECTS_FILE: effectsFile, TARGET_URL: target.url });
  const pause = random(SEED);
  // An event makes runs of the workflows that are registered when it comes.
  const first = new Connection(router, "development");
  await first.hostsBecome("durable", 1);
  first.close();

  // An event that is not answered is sent again with its id, until it is.
  const send = (n: number) =>
    until(
      `event ${n} is accepted`,
      async () => {
        const connection = new Connection(router, "development");
        const event = connection.event("durable.go", { n, rounds: ROUNDS }, `durable-${n}`);
        return event.catch(() => null).finally(() => connection.close());
      },
      120_000,
    );
  const sent: Promise<unknown>[] = [];
  const inFlight: number[] = [];
  for (let kill = 0; kill < KILLS; kill++) {
    const upTo = Math.ceil(((kill + 1) * RUNS) / KILLS);
    while (sent.length < upTo) sent.push(send(sent.length));
    await delay(500 + pause() * LIVES_AT_MOST_MS);
    const counter = new Connection(router, "development");
    inFlight.push((await counter.runs()).filter(({ finishedAt }) => finishedAt === undefined).length);
    counter.close();
    await Promise.all([router.child.stop("SIGKILL"), endProcesses(await runtimesOn(router.directory))]);
    router = await startRouter({ directory: router.directory, port });
  }
  await Promise.all(sent);

  const connection = new Connection(router, "development");
  const ended = await until(
    "all runs have ended",
    async () => {
      const runs = await connection.runs();
      return runs.length >= RUNS && runs.every(({ finishedAt }) => finishedAt !== undefined) ? runs : null;
    },
    ALL_ENDED_WITHIN_MS,
  );
  const exits = await host.stop();

  const effects = new Map<string, string[]>();
  for (const line of (await readFile(effectsFile, "utf8")).trim().split("\n")) {
    const [run = "", round = "", mark = ""] = line.split(" ");
    effects.set(`${run} ${round}`, [...(effects.get(`${run} ${round}`) ?? []), mark]);
  }
  let repeatedCallbacks = 0;
  for (const { id } of ended) {
    const run = await connection.run(id);
    expect(run, id).toMatchObject({ status: "SUCCESS" });
    const { n } = run.event.payload as { n: number };
    const rounds = run.output as { mark: string; waitedMs: number; fetched: string; kept: string }[];
    expect(rounds).toHaveLength(ROUNDS);
    for (const [round, { mark, waitedMs, fetched, kept }] of rounds.entries()) {
      expect({ fetched, kept }, id).toEqual({ fetched: `/${n}/${round}`, kept: `${n} ${round}` });
      expect(waitedMs, `the delay of ${id}`).toBeGreaterThanOrEqual(1_000);
      // The callback whose result was stored ran once. One that was cut off before that may have run too.
      const marks = effects.get(`${id} ${round}`) ?? [];
      expect(
        marks.filter((m) => m === mark),
        `effects of ${id}`,
      ).toHaveLength(1);
      repeatedCallbacks += marks.length - 1;
    }
  }
  connection.close();
  expect(ended).toHaveLength(RUNS);
  const calls = [...target.calls.values()].reduce((sum, count) => sum + count, 0);
  const attempts = ended.reduce((sum, run) => sum + run.attempts, 0);
  const counts = { seed: SEED, kills: KILLS, runs: ended.length, rounds: ROUNDS, inFlightAtKills: inFlight, attempts };
  console.log(JSON.stringify({ ...counts, hostExits: exits, repeatedCallbacks, fetches: calls }));
  // Otherwise nothing was tried.
  expect(Math.max(...inFlight)).toBeGreaterThan(0);
}, 1_200_000);
