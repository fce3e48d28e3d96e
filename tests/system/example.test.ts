// The example as a newcomer runs it: without a key of its own, against the router of this machine.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { Child, ROOT } from "./children.ts";
import { Connection, dataDirectory, type EnvironmentName, type Router, startRouter, until } from "./support.ts";

const EXAMPLE = `${ROOT}examples/starter`;
let router: Router;

beforeAll(async () => {
  router = await startRouter();
});

/** Runs a script of its package.json, as `npm run <script> -- <args>` does. */
async function run(script: string, args: readonly string[], ready: string, env = {}): Promise<Child> {
  const { scripts } = JSON.parse(await readFile(join(EXAMPLE, "package.json"), "utf8"));
  const [node, ...command] = String(scripts[script]).split(" ");
  expect(node).toBe("node");
  return new Child(["--import", `${ROOT}tests/system/end-with-parent.ts`, ...command, ...args], {
    cwd: EXAMPLE,
    env: { SWITCHYARD_READY: ready, ...env },
  });
}

describe("the example", () => {
  it.each([
    { environment: "development", args: [] },
    { environment: "live", args: ["--live"] },
  ] as const)("runs, sends and shows in $environment", async ({ environment, args }) => {
    const ready = join(router.directory, "ready.json");
    const host = await run("start", args, ready);
    await host.printed(/listening for events/i);
    expect(host.output).toContain(`Using the ${environment} key of the local router at ${router.ready.url}.`);

    const sender = await run("send", args, ready);
    expect(await sender.ended(), sender.output).toEqual({ code: 0, signal: null });
    const id = await onlyRunEnded(environment);

    const shown = await run("runs", args, ready);
    expect(await shown.ended(), shown.output).toEqual({ code: 0, signal: null });
    expect(shown.output).toContain(`${id}  SUCCESS  This is the ${environment} environment`);
  });

  it("says what to do when no router runs here", async () => {
    const program = await run("start", [], join(await dataDirectory(), "ready.json"));
    expect(await program.ended()).toEqual({ code: 1, signal: null });
    expect(program.output).toContain("No router runs on this machine");
    expect(program.output).toContain("npm start");
  });

  it("does not take a key to another service than the router's", async () => {
    const env = { TRIGGER_API_KEY: router.ready.environments.live.key };
    const program = await run("start", [], join(router.directory, "ready.json"), env);
    expect(await program.ended()).toEqual({ code: 1, signal: null });
    expect(program.output).toContain("Set TRIGGER_API_URL and TRIGGER_WSS_URL too");
  });
});

async function onlyRunEnded(environment: EnvironmentName): Promise<string> {
  const connection = new Connection(router, environment);
  const id = await until(`the run in ${environment} has ended`, async () => {
    const runs = await connection.runs();
    expect(runs.length).toBeLessThanOrEqual(1);
    return runs[0]?.finishedAt && runs[0].id;
  });
  connection.close();
  return id;
}
