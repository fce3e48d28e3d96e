// A router that stops, or is killed, and starts again on the same data is the same router.
import { describe, expect, it } from "vitest";
import {
  Connection,
  portOf,
  type Router,
  runtimesOn,
  sendForOneRun,
  startHost,
  startRouter,
  until,
} from "./support.ts";

describe("a router started again on the same data", () => {
  it("has the same keys and all its runs, and dispatches a waiting run to the host that comes", async () => {
    const first = await startRouter();
    const before = new Connection(first, "development");
    const host = await startHost(first, "development", "echo.ts");
    const finished = await sendForOneRun(before, "echo.this", { round: 1 });
    await before.runWith(finished, "SUCCESS");
    await host.stop("SIGTERM");
    await before.hostsBecome("echo", 0);
    const waiting = await sendForOneRun(before, "echo.this", { round: 2 });
    const runs = await before.runs();
    expect(runs.map(({ id, status }) => [id, status])).toEqual([
      [waiting, "PENDING"],
      [finished, "SUCCESS"],
    ]);
    const shown = await before.run(finished);
    before.close();

    expect(await first.child.stop("SIGTERM")).toEqual({ code: 0, signal: null });
    expect(await runtimesOn(first.directory)).toEqual([]);
    const second = await startAgain(first);

    expect(second.ready).toEqual(first.ready);
    const after = new Connection(second, "development");
    expect(await after.runs()).toEqual(runs);
    expect(await after.run(finished)).toEqual(shown);
    await startHost(second, "development", "echo.ts");
    expect(await after.runWith(waiting, "SUCCESS")).toMatchObject({ attempts: 1, output: { round: 2 } });
    expect(await after.runs()).toHaveLength(2);
    after.close();
  });

  it("is found again by a host that was connected, which then serves what has waited", async () => {
    const first = await startRouter();
    const host = await startHost(first, "live", "echo.ts");
    await first.child.stop("SIGINT");

    const second = await startAgain(first);
    const after = new Connection(second, "live");
    const waiting = await sendForOneRun(after, "echo.this", "hello");
    expect(await after.runWith(waiting, "SUCCESS")).toMatchObject({ output: "hello" });
    expect(host.output).toContain("Reconnection successful");
    expect(host.end).toBeNull();
    after.close();
  });

  it("has every event it has acknowledged when it was killed", async () => {
    const first = await startRouter();
    const before = new Connection(first, "development");
    const host = await startHost(first, "development", "echo.ts");
    await host.stop("SIGTERM");
    await before.hostsBecome("echo", 0);
    const sent = new Map<string, number>();
    for (let n = 0; n < 50; n++) sent.set(await sendForOneRun(before, "echo.this", n), n);
    before.close();
    await first.child.stop("SIGKILL");

    const second = await startAgain(first);
    expect(second.ready).toEqual(first.ready);
    const after = new Connection(second, "development");
    expect(new Set((await after.runs()).map(({ id }) => id))).toEqual(new Set(sent.keys()));
    await startHost(second, "development", "echo.ts");
    const runs = await until("all runs have ended", async () => {
      const all = await after.runs();
      return all.every(({ finishedAt }) => finishedAt !== undefined) ? all : null;
    });
    expect(runs.filter(({ status }) => status !== "SUCCESS")).toEqual([]);
    for (const [id, n] of sent) expect(await after.run(id)).toMatchObject({ output: n, attempts: 1 });
    after.close();
  });
});

function startAgain(router: Router): Promise<Router> {
  return startRouter({ directory: router.directory, port: portOf(router) });
}
