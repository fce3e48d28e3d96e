// Schedules in the reference client, unmodified, in both environments; and a router that is killed while it emits.
import { execFile } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { endProcesses } from "../../scripts/local/processes.ts";
import type { EventSummary } from "../../shared/api/events.ts";
import { ROOT } from "./children.ts";
import {
  Connection,
  type EnvironmentName,
  portOf,
  type Router,
  runtimesOn,
  startHost,
  startRouter,
  until,
} from "./support.ts";

const MINUTE_MS = 60_000;
const ENVIRONMENTS = ["live", "development"] as const;

/** Moves the clock; schedules are emitted by ticks only. */
async function moveTo(router: Router, time: number): Promise<void> {
  const answer = await fetch(`${router.ready.url}/local/clock`, {
    method: "POST",
    body: JSON.stringify({ to: new Date(time).toISOString() }),
  });
  if (!answer.ok) throw new Error(`the clock was not moved: ${await answer.text()}`);
}

async function timeOf({ ready }: Router): Promise<number> {
  const clock = (await (await fetch(`${ready.url}/local/clock`)).json()) as { now: string };
  return Date.parse(clock.now);
}

function tick({ ready }: Router, time: number): Promise<Response> {
  const query = new URLSearchParams({ cron: "* * * * *", time: String(time) });
  return fetch(`${ready.url}/cdn-cgi/local/scheduled?${query}`);
}

/** A time some hours ahead, with which the router's own ticks of every minute have nothing to do. */
async function nextHour(router: Router): Promise<number> {
  const hour = 60 * MINUTE_MS;
  return (Math.floor((await timeOf(router)) / hour) + 2) * hour;
}

async function events(connection: Connection, query = ""): Promise<EventSummary[]> {
  const all: EventSummary[] = [];
  for (let cursor = ""; ; ) {
    const answered = await connection.send("GET", `/api/v1/events?limit=100${query}${cursor}`);
    const page = JSON.parse(answered.body) as { data: EventSummary[]; next: string | null };
    all.push(...page.data);
    if (page.next === null) return all;
    cursor = `&cursor=${page.next}`;
  }
}

describe("the reference client, connected in both environments", () => {
  let router: Router;
  let at: number;
  beforeAll(async () => {
    router = await startRouter();
    at = await nextHour(router);
    await moveTo(router, at - MINUTE_MS / 2);
    for (const environment of ENVIRONMENTS) await startHost(router, environment, "clock.ts", { workflows: 2 });
  });

  /** What the newest runs of a workflow have put out, the newest first. */
  async function outputs(environment: EnvironmentName, workflow: string, count: number): Promise<unknown[]> {
    const connection = new Connection(router, environment);
    const all = await until(`${workflow} has run ${count} times in ${environment}`, async () => {
      const runs = (await connection.runs()).filter((run) => run.workflow.slug === workflow);
      return runs.length >= count && runs.every(({ status }) => status === "SUCCESS") ? runs : null;
    });
    const shown = await Promise.all(all.map(({ id }) => connection.run(id)));
    connection.close();
    return shown.map(({ output }) => output);
  }

  it("one tick makes one run in each, and the second says when the first was", async () => {
    const iso = (minutes: number) => new Date(at + minutes * MINUTE_MS).toISOString();
    for (const [minutes, lastRunAt] of [
      [0, null],
      [5, iso(0)],
    ] as const) {
      await moveTo(router, at + minutes * MINUTE_MS);
      expect((await tick(router, at + minutes * MINUTE_MS)).status).toBe(200);
      for (const environment of ENVIRONMENTS) {
        const made = await outputs(environment, "by-cron", minutes === 0 ? 1 : 2);
        expect(made).toHaveLength(minutes === 0 ? 1 : 2);
        expect(made[0]).toEqual({ environment, scheduledTime: iso(minutes), lastRunAt, isTest: false });
      }
    }
  });

  it("a rate goes on from the minute of its registration", async () => {
    // Registered half a minute before the hour, so from the minute before it.
    await moveTo(router, at + 9 * MINUTE_MS);
    await tick(router, at + 9 * MINUTE_MS);
    for (const environment of ENVIRONMENTS) {
      const [first] = await outputs(environment, "at-a-rate", 1);
      expect(first).toMatchObject({ environment, scheduledTime: new Date(at + 9 * MINUTE_MS).toISOString() });
    }
  });

  it("`npm run tick` ticks, and says what to do when no router runs", async () => {
    const run = (data: string) => promisify(execFile)("node", [`${ROOT}scripts/tick.mjs`, "--data", data]);
    expect((await run(router.directory)).stdout).toContain("Ticked");
    await expect(run(`${router.directory}/nothing`)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining("npm start"),
    });
  });
});

describe("a router that is killed while it emits", () => {
  const SCHEDULES = 60;
  const ROUNDS = Number(process.env.CHAOS_ROUNDS ?? 3);

  it("emits each time once at most, and the latest always", async () => {
    let router = await startRouter();
    const organization = `${router.ready.url}/api/v1/organizations/${router.ready.organization.slug}`;
    const headers = { authorization: `Bearer ${router.ready.console.token}`, "content-type": "application/json" };
    for (let number = 0; number < SCHEDULES; number++) {
      const body = JSON.stringify({ name: `s${number}`, cron: "* * * * *", event: `due.${number}` });
      const made = await fetch(`${organization}/schedules`, { method: "POST", headers, body });
      if (made.status !== 201) throw new Error(`not made: ${made.status} ${await made.text()}`);
    }
    const start = await nextHour(router);
    const latest = start + ROUNDS * 2 * MINUTE_MS;
    /** How many of a tick's events were there after the kill, by round. */
    const emitted: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const time = start + round * 2 * MINUTE_MS;
      await moveTo(router, time);
      // Cut off once at the start and once when all was emitted or nearly; else anywhere in what it takes, some 400 ms.
      // Who is to be killed is found before: by the time that a busy machine has found them, all may be emitted.
      const runtimes = await runtimesOn(router.directory);
      const ticked = tick(router, time).catch(() => null);
      await delay(round * (400 / (ROUNDS - 1)));
      const stopped = router.child.stop("SIGKILL");
      for (const pid of runtimes) process.kill(pid, "SIGKILL");
      await Promise.all([stopped, endProcesses(runtimes), ticked]);
      router = await startRouter({ directory: router.directory, port: portOf(router) });
      emitted.push((await emittedAt(router, time)).length);
    }
    expect(Math.min(...emitted)).toBeLessThan(2 * SCHEDULES);
    await moveTo(router, latest);
    expect((await tick(router, latest)).status).toBe(200);
    expect(await emittedAt(router, latest)).toHaveLength(2 * SCHEDULES);
    for (const environment of ENVIRONMENTS) {
      const connection = new Connection(router, environment);
      const ids = (await events(connection)).map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      connection.close();
    }
  });

  /** The events of this scheduled time, of both environments. */
  async function emittedAt(router: Router, time: number): Promise<string[]> {
    const found = await Promise.all(
      ENVIRONMENTS.map(async (environment) => {
        const connection = new Connection(router, environment);
        const ids = (await events(connection)).map(({ id }) => id);
        connection.close();
        return ids.filter((id) => id.endsWith(new Date(time).toISOString()));
      }),
    );
    return found.flat();
  }
});
