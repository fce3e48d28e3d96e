// One router per data directory: the owner of the lock, and the end of an abandoned claim.
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { takeLock } from "./lock.ts";

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "switchyard-test-"));
});
afterEach(() => rm(directory, { recursive: true }));

test("refuses a second router with the id of the first, and lets it in when the first has left", async () => {
  const leave = await takeLock(directory);
  await expect(takeLock(directory, 0)).rejects.toThrow(`process ${process.pid}`);
  await leave();
  await (await takeLock(directory, 0))();
  expect(await readdir(directory)).toEqual([]);
});

test("gives the lock to exactly one of many that try at once", async () => {
  const tries = await Promise.allSettled(Array.from({ length: 8 }, () => takeLock(directory, 3_000)));
  expect(tries.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  expect(await readdir(directory)).toHaveLength(1);
}, 20_000);

test("waits for a router that is leaving", async () => {
  const leave = await takeLock(directory);
  const second = takeLock(directory, 5_000);
  await leave();
  await (await second)();
});

test.each([
  ["of a process that is gone", { pid: 2 ** 22 + 1, identity: "any" }],
  ["of a process whose id belongs to another now", { pid: process.ppid, identity: "of another start" }],
  ["that cannot be read", "half a cla"],
])("ignores and removes a claim %s", async (_whose, claim) => {
  await writeFile(join(directory, "left.json"), JSON.stringify(claim));
  const leave = await takeLock(directory, 0);
  expect(await readdir(directory)).not.toContain("left.json");
  await leave();
});
