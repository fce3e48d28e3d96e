// `npm start` that cannot go on says why and what to do, ends with the right code, and leaves nothing running.
import { execFile } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { Child } from "./children.ts";
import { Connection, dataDirectory, portOf, runtimesOn, startRouter } from "./support.ts";

interface Failed {
  readonly code: number | null;
  readonly output: string;
}

/** Runs scripts/start.mjs as `npm start -- …` does, to its end. */
async function start(...args: string[]): Promise<Failed> {
  const child = new Child(["scripts/start.mjs", ...args]);
  const { code } = await child.ended();
  return { code, output: child.output };
}

/** Command lines of the processes that were started for this directory. */
async function processesOf(directory: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)("ps", ["-A", "-ww", "-o", "stat=,args="]);
  return stdout.split("\n").filter((line) => line.includes(directory) && !line.startsWith("Z"));
}

async function expectNothingLeft(directory: string): Promise<void> {
  expect(await runtimesOn(directory)).toEqual([]);
  expect(await processesOf(directory)).toEqual([]);
}

describe("npm start", () => {
  it("names a port that is in use, and ends with code 1", async () => {
    const directory = await dataDirectory();
    const other = createServer();
    const port = await new Promise<number>((resolve) => {
      other.listen(0, "127.0.0.1", () => resolve(portOfServer(other)));
    });
    const { code, output } = await start("--port", String(port), "--data", directory);
    other.close();
    expect(output).toContain(`Port ${port} is in use by another program. Choose another one with --port P.`);
    expect(output).not.toMatch(/^\s+at /m);
    expect(code).toBe(1);
    await expectNothingLeft(directory);
    expect(await readdir(directory)).not.toContain("ready.json");
    expect(await readdir(directory)).not.toContain("lock.json");
  });

  it("names a data directory that cannot be made, and ends with code 1", async () => {
    const file = join(await dataDirectory(), "file");
    await writeFile(file, "");
    const below = join(file, "data");
    const { code, output } = await start("--port", "0", "--data", below);
    expect(output).toContain(`The data directory ${below} cannot be written to`);
    expect(output).toContain("Choose another one with --data DIR.");
    expect(output).not.toMatch(/^\s+at /m);
    expect(code).toBe(1);
    await expectNothingLeft(file);
  });

  it("refuses a file as its data directory", async () => {
    const file = join(await dataDirectory(), "file");
    await writeFile(file, "kept");
    const { code, output } = await start("--port", "0", "--data", file);
    expect(output).toContain(`The data directory ${file} cannot be written to`);
    expect(code).toBe(1);
    expect(await readFile(file, "utf8")).toBe("kept");
  });

  it("refuses secrets that it cannot read, rather than change every key", async () => {
    const directory = await dataDirectory();
    await writeFile(join(directory, "secrets.json"), "{}");
    const { code, output } = await start("--port", "0", "--data", directory);
    expect(output).toContain("secrets.json does not hold KEY_SECRETS and SETUP_TOKEN.");
    expect(code).toBe(1);
    expect(await readFile(join(directory, "secrets.json"), "utf8")).toBe("{}");
    await expectNothingLeft(directory);
  });

  it.each([
    { args: ["--prot", "8787"], says: "--prot" },
    { args: ["--port", "http"], says: "--port must be a whole number from 0 to 65535" },
    { args: ["--port", "65536"], says: "--port must be a whole number from 0 to 65535" },
    { args: ["--data="], says: "--data must name a directory" },
    { args: ["somewhere"], says: "somewhere" },
  ])("does not understand $args, says so, and ends with code 2", async ({ args, says }) => {
    const { code, output } = await start(...args);
    expect(output).toContain(says);
    expect(output).toContain("npm start -- --help shows the options.");
    expect(output).not.toMatch(/^\s+at /m);
    expect(code).toBe(2);
  });

  it("shows its options with --help and starts nothing", async () => {
    const directory = await dataDirectory();
    const { code, output } = await start("--help", "--data", directory);
    for (const option of ["--port P", "--data DIR", "--movable-clock", "--verbose", "--help"]) {
      expect(output).toContain(option);
    }
    expect(code).toBe(0);
    expect(await readdir(directory)).toEqual([]);
  });

  it("does not start a second router on the same data, and the first one goes on", async () => {
    const first = await startRouter();
    const { code, output } = await start("--port", "0", "--data", first.directory);
    expect(output).toContain(`A router is running on this data already (process ${first.child.pid}).`);
    expect(code).toBe(1);

    expect(JSON.parse(await readFile(join(first.directory, "ready.json"), "utf8"))).toEqual(first.ready);
    const connection = new Connection(first, "live");
    expect((await connection.event("still.here", {})).runs).toEqual([]);
    connection.close();
    expect(await first.child.stop("SIGTERM")).toEqual({ code: 0, signal: null });
    await expectNothingLeft(first.directory);
  });

  it("does not start on the port of another router", async () => {
    const first = await startRouter();
    const directory = await dataDirectory();
    const { code, output } = await start("--port", portOf(first), "--data", directory);
    expect(output).toContain(`Port ${portOf(first)} is in use by another program.`);
    expect(code).toBe(1);
    await expectNothingLeft(directory);
    expect((await fetch(`${first.ready.url}/healthcheck`)).status).toBe(200);
  });

  it.each(["SIGINT", "SIGTERM"] as const)("ends all that it started on %s", async (signal) => {
    const directory = await dataDirectory();
    const child = new Child(["scripts/start.mjs", "--port", "0", "--data", directory]);
    await child.printed(/Switchyard runs at/);
    expect(await runtimesOn(directory)).toHaveLength(1);
    expect(await child.stop(signal)).toEqual({ code: 0, signal: null });
    await expectNothingLeft(directory);
    expect(await readdir(directory)).not.toContain("ready.json");
  });
});

function portOfServer(server: Server): number {
  const address = server.address();
  return address !== null && typeof address === "object" ? address.port : 0;
}
