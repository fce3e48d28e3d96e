// Child processes of the benchmark: started, waited for, measured and ended.
import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Handled, Usage } from "../system.ts";

const children = new Set<ChildProcess>();
// Not SIGKILL: a process has to end its own children.
process.on("exit", () => {
  for (const child of children) child.kill("SIGTERM");
});

function keep(child: ChildProcess): void {
  children.add(child);
  child.once("exit", () => children.delete(child));
}

/** Starts a program. Its output is shown if it ends before it is stopped. */
export function startProgram(
  command: string,
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; uid?: number; gid?: number },
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

/** Starts a script of this folder in a Node of its own. Resolves when the script reports that it is ready. */
export async function startProcess(file: string, env: Record<string, string>): Promise<HostProcess> {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), [], { env: { ...process.env, ...env } });
  keep(child);
  const ready = new Promise<unknown>((resolve, reject) => {
    child.once("message", resolve);
    child.once("exit", (code) => reject(new Error(`${file} ended with ${code}`)));
  });
  return new HostProcess(child, await ready);
}

/** A process that handles events; host.ts is its other side. */
export class HostProcess {
  readonly child: ChildProcess;
  /** Details of the report that it was ready. */
  readonly ready: unknown;

  constructor(child: ChildProcess, ready: unknown) {
    this.child = child;
    this.ready = ready;
  }

  /** Resolves when the process has completed all of these events. */
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

/** Length of a clock tick in /proc: USER_HZ is 100 on every Linux. */
const TICK_MS = 10;

/** Linux only; NaN elsewhere. */
export async function usageOf(pids: readonly (number | undefined)[]): Promise<Usage> {
  const processes = new Map<number, Usage & { readonly parent: number }>();
  for (const name of await readdir("/proc").catch(() => [])) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, "utf8").catch(() => "");
    const status = await readFile(`/proc/${name}/status`, "utf8").catch(() => "");
    // The name before the last bracket may contain anything: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [, resident] = /^VmRSS:\s*(\d+)/m.exec(status) ?? [];
    processes.set(Number(name), {
      parent: Number(fields[1]),
      processorMs: (Number(fields[11]) + Number(fields[12])) * TICK_MS,
      memoryBytes: Number(resident ?? 0) * 1024,
    });
  }
  if (processes.size === 0) return { memoryBytes: Number.NaN, processorMs: Number.NaN };
  const wanted = new Set(pids);
  for (let before = -1; before !== wanted.size; ) {
    before = wanted.size;
    for (const [pid, { parent }] of processes) if (wanted.has(parent)) wanted.add(pid);
  }
  let [memoryBytes, processorMs] = [0, 0];
  for (const pid of wanted) {
    const process = pid === undefined ? undefined : processes.get(pid);
    memoryBytes += process?.memoryBytes ?? 0;
    processorMs += process?.processorMs ?? 0;
  }
  return { memoryBytes, processorMs };
}
