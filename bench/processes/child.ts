// Child processes of the benchmark: started, waited for, measured and ended.
import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Handled } from "../system.ts";

const children = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});

function keep(child: ChildProcess): void {
  children.add(child);
  child.once("exit", () => children.delete(child));
}

/** A program; its output is shown when it ends before it is stopped. */
export function startProgram(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv },
) {
  const child = spawn(command, [...args], { ...options, stdio: ["ignore", "pipe", "pipe"] });
  keep(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => (output = (output + chunk).slice(-4_000)));
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`${command} ended with ${code}:\n${output}`);
  });
  ended.catch(() => {});
  return { child, ended };
}

/** One of our processes in this folder, in its own Node. Resolves when it says that it is ready. */
export async function startProcess(file: string, env: Record<string, string>): Promise<HostProcess> {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), [], { env: { ...process.env, ...env } });
  keep(child);
  const ready = new Promise<unknown>((resolve, reject) => {
    child.once("message", resolve);
    child.once("exit", (code) => reject(new Error(`${file} ended with ${code}`)));
  });
  return new HostProcess(child, await ready);
}

/** A process that handles events: see host.ts for the other side. */
export class HostProcess {
  readonly child: ChildProcess;
  /** What it said when it was ready. */
  readonly ready: unknown;

  constructor(child: ChildProcess, ready: unknown) {
    this.child = child;
    this.ready = ready;
  }

  /** Resolves when it has completed all of these events. */
  async handled(first: number, count: number): Promise<Handled> {
    this.child.send({ first, count });
    const [times] = (await once(this.child, "message")) as [{ handledAt: number[]; completedAt: number[] }];
    return { handledAt: Float64Array.from(times.handledAt), completedAt: Float64Array.from(times.completedAt) };
  }

  stop(): Promise<void> {
    return stopChild(this.child);
  }
}

export async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
  await exit;
  clearTimeout(timer);
}

/** Resident bytes of processes and all their descendants. Linux only; NaN elsewhere. */
export async function memoryOf(pids: readonly (number | undefined)[]): Promise<number> {
  const parents = new Map<number, { parent: number; bytes: number }>();
  for (const name of await readdir("/proc").catch(() => [])) {
    if (!/^\d+$/.test(name)) continue;
    const status = await readFile(`/proc/${name}/status`, "utf8").catch(() => "");
    const field = (field: string) => Number(new RegExp(`^${field}:\\s*(\\d+)`, "m").exec(status)?.[1] ?? 0);
    parents.set(Number(name), { parent: field("PPid"), bytes: field("VmRSS") * 1024 });
  }
  if (parents.size === 0) return Number.NaN;
  const wanted = new Set(pids);
  for (let before = -1; before !== wanted.size; ) {
    before = wanted.size;
    for (const [pid, { parent }] of parents) if (wanted.has(parent)) wanted.add(pid);
  }
  let bytes = 0;
  for (const [pid, each] of parents) if (wanted.has(pid)) bytes += each.bytes;
  return bytes;
}
