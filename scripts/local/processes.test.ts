// Processes are found by the mark that they were started with, told from others, and ended.
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { endProcesses, findMarked, processIdentity } from "./processes.ts";

const NAME = "SWITCHYARD_TEST";
const PROGRAM = process.execPath.split("/").at(-1) ?? "";

async function startMarked(mark: string): Promise<number> {
  const child = spawn(process.execPath, ["-e", "console.log(1); setInterval(() => {}, 1e6)"], {
    env: { [NAME]: mark },
    stdio: ["ignore", "pipe", "ignore"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child.stdout, "data");
  return child.pid ?? 0;
}

test("a process is found by its program and mark, and is gone when it was ended", async () => {
  const mark = randomUUID();
  const ours = await startMarked(mark);
  const another = await startMarked(`${mark}/more`);
  expect(await findMarked(PROGRAM, NAME, mark)).toEqual([ours]);
  expect(await findMarked("another-program", NAME, mark)).toEqual([]);

  await endProcesses([ours]);
  expect(await findMarked(PROGRAM, NAME, mark)).toEqual([]);
  expect(await processIdentity(ours)).toBeUndefined();
  expect(await processIdentity(another)).toBeDefined();
});

test("the identity of a process stays the same and is no other's", async () => {
  const other = await startMarked(randomUUID());
  const identity = await processIdentity(process.pid);
  expect(identity).toBe(await processIdentity(process.pid));
  expect(identity).not.toBe(await processIdentity(other));
});

test("ending a process that is gone already is no error", async () => {
  await endProcesses([2 ** 22 + 1]);
});
