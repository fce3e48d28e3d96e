// What happens to runs when hosts hang, die with their run, or lose their connection all at once.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { endProcesses } from "../../scripts/local/processes.ts";
import type { Child } from "./children.ts";
import {
  Connection,
  dataDirectory,
  portOf,
  type Router,
  runtimesOn,
  sendForOneRun,
  startHost,
  startReference,
  startRouter,
  until,
} from "./support.ts";

let router: Router;
let connection: Connection;

beforeAll(async () => {
  router = await startRouter();
  connection = new Connection(router, "development");
});

const advance = async (ms: number) => {
  const { status } = await connection.send("POST", "/local/clock", { advanceMs: ms });
  expect(status).toBe(200);
};

it("moves the runs of a host that hangs to another, and its late frames change nothing", async () => {
  const release = join(await dataDirectory(), "release");
  const hanging = await startHost(router, "development", "holds.ts");
  const run = await sendForOneRun(connection, "holds.go", { until: release });
  await connection.runWith(run, "RUNNING");
  process.kill(hanging.pid, "SIGSTOP");
  const other = await startHost(router, "development", "holds.ts");
  await advance(61_000);
  await advance(11_000);
  const moved = await until("the run is on the other host", async () => {
    const now = await connection.run(run);
    return now.attempts === 2 && now.status === "RUNNING" ? now : null;
  });
  expect(moved.tasks.map(({ type }) => type)).toEqual(["DISCONNECTION"]);
  await writeFile(release, "");
  const ended = await connection.runWith(run, "SUCCESS");
  expect(ended.output).toEqual({ pid: other.pid });
  process.kill(hanging.pid, "SIGCONT");
  await hanging.printed(/Run .* complete/);
  expect(await connection.run(run)).toEqual(ended);
  await Promise.all([hanging.stop("SIGKILL"), other.stop("SIGKILL")]);
});

it("ends a run that kills its host after five attempts, and takes no other run with it", async () => {
  let host = await startHost(router, "development", "killer.ts");
  const [killer, innocent] = [
    await sendForOneRun(connection, "killer.go", { kill: true }),
    await sendForOneRun(connection, "killer.go", { kill: false }),
  ];
  const ended = await until(
    "the killer has ended",
    async () => {
      if (host.end) {
        host = startReference(router, "development", "killer.ts");
        await advance(16_000);
      }
      const run = await connection.run(killer);
      return run.finishedAt ? run : null;
    },
    60_000,
  );
  expect(ended).toMatchObject({ status: "ERROR", error: { name: "HostLost" }, attempts: 5 });
  expect(ended.tasks.filter(({ type }) => type === "DISCONNECTION")).toHaveLength(5);
  if (host.end) host = await startHost(router, "development", "killer.ts");
  expect((await connection.runWith(innocent, "SUCCESS")).output).toEqual({ survived: true });
  await host.stop("SIGKILL");
});

it("has all hosts back and all runs ended within 15 s when every socket closes at once", async () => {
  const release = join(await dataDirectory(), "release");
  const hosts = await Promise.all([1, 2, 3].map(() => startHost(router, "development", "holds.ts")));
  const runs = await Promise.all(
    Array.from({ length: 30 }, () => sendForOneRun(connection, "holds.go", { until: release })),
  );
  for (const run of runs) await connection.runWith(run, "RUNNING");
  await Promise.all([router.child.stop("SIGKILL"), endProcesses(await runtimesOn(router.directory))]);
  await writeFile(release, "");
  router = await startRouter({ directory: router.directory, port: portOf(router) });
  connection = new Connection(router, "development");
  const began = performance.now();
  // The client's process exits when its run calls during the outage: a supervisor starts it again.
  const alive: Child[] = await Promise.all(
    hosts.map((host) => (host.end ? startHost(router, "development", "holds.ts") : host)),
  );
  await connection.hostsBecome("holds", alive.length);
  for (const run of runs) await connection.runWith(run, "SUCCESS");
  expect(performance.now() - began).toBeLessThan(15_000);
});
