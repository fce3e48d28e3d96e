// One router on a data directory: who gets the lock, and what becomes of a claim that was left behind.
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

test("a second router is refused with the id of the first, and comes in when it has left", async () => {
  const leave = await takeLock(directory);
  await expect(takeLock(directory, 0)).rejects.toThrow(`process ${process.pid}`);
  await leave();
  await (await takeLock(directory, 0))();
  expect(await readdir(directory)).toEqual([]);
});

test("of many that try at once, exactly one gets the lock", async () => {
  const tries = await Promise.allSettled(Array.from({ length: 8 }, () => takeLock(directory, 3_000)));
  expect(tries.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  expect(await readdir(directory)).toHaveLength(1);
}, 20_000);

test("a router that is leaving is waited for", async () => {
  const leave = await takeLock(directory);
  const second = takeLock(directory, 5_000);
  await leave();
  await (await second)();
});

test.each([
  ["of a process that is gone", { pid: 2 ** 22 + 1, identity: "any" }],
  ["of a process whose id belongs to another now", { pid: process.ppid, identity: "of another start" }],
  ["that cannot be read", "half a cla"],
])("a claim %s counts for nothing and is removed", async (_whose, claim) => {
  await writeFile(join(directory, "left.json"), JSON.stringify(claim));
  const leave = await takeLock(directory, 0);
  expect(await readdir(directory)).not.toContain("left.json");
  await leave();
});
