// Processes: found by the mark of their start, told from others, and ended.
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

test("finds a process by its program and mark until it was ended", async () => {
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

test("gives a process an identity that stays the same and belongs to no other", async () => {
  const other = await startMarked(randomUUID());
  const identity = await processIdentity(process.pid);
  expect(identity).toBe(await processIdentity(process.pid));
  expect(identity).not.toBe(await processIdentity(other));
});

test("ends a process that is already gone without an error", async () => {
  await endProcesses([2 ** 22 + 1]);
});
