// What is known of other processes of this machine: whether one is the same that wrote down its id, and which ones were
// started for a data directory. An id alone proves nothing: after a restart it belongs to another process.
import { execFile } from "node:child_process";
import { readdir, readFile, readlink } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

const ENDED_WITHIN_MS = 5_000;
const LOOK_AGAIN_MS = 20;

/** What tells a process from every other that has had or will have its id; undefined when there is none of this id. */
export async function processIdentity(pid: number): Promise<string | undefined> {
  if (process.platform !== "linux") return (await ps(["-o", "lstart=", "-p", String(pid)])).trim() || undefined;
  const status = await readText(`/proc/${pid}/stat`);
  if (status === undefined) return undefined;
  // After the name, which stands in brackets and may hold anything, field 3 and those behind it: the state, at 20 the
  // number of threads, at 22 the start in ticks.
  const fields = status.slice(status.lastIndexOf(")") + 2).split(" ");
  // A process that has ended but was not waited for. While it has other threads, these still hold its files and ports.
  if (fields[0] === "Z" && (await threadsOf(pid)) <= 1) return undefined;
  return `${(await readText("/proc/sys/kernel/random/boot_id"))?.trim()}:${fields[19]}`;
}

/** Threads that a process still has. */
async function threadsOf(pid: number): Promise<number> {
  return (await readdir(`/proc/${pid}/task`).catch(() => [])).length;
}

/**
 * Ids of the processes of this user that run `program` and have `NAME=value` in the environment they were started with.
 * Whoever starts a process marks it so; nothing needs to be written down, and nothing else can match.
 */
export async function findMarked(program: string, name: string, value: string): Promise<number[]> {
  const mark = `${name}=${value}`;
  if (process.platform !== "linux") {
    // macOS: -E adds the environment to the command line.
    const lines = (await ps(["-axwwE", "-o", "pid=,command="])).split("\n");
    const marked = lines.filter((line) => line.includes(program) && `${line} `.includes(` ${mark} `));
    return marked.map((line) => Number.parseInt(line, 10));
  }
  const found: number[] = [];
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const variables = await readText(`/proc/${entry}/environ`);
    if (!variables?.split("\0").includes(mark)) continue;
    const executable = await readlink(`/proc/${entry}/exe`).catch(() => "");
    if (executable.split("/").at(-1) === program) found.push(Number(entry));
  }
  return found;
}

/** Ends processes at once and waits until they are gone. Throws when one of them stays. */
export async function endProcesses(pids: readonly number[]): Promise<void> {
  const identities = await Promise.all(pids.map(processIdentity));
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended by itself.
    }
  }
  const until = performance.now() + ENDED_WITHIN_MS;
  for (const [i, pid] of pids.entries()) {
    while (identities[i] !== undefined && (await processIdentity(pid)) === identities[i]) {
      if (performance.now() > until) throw new Error(`process ${pid} of an earlier start does not end`);
      await delay(LOOK_AGAIN_MS);
    }
  }
}

/** Undefined when there is no such file, or no such process any more, or it is another user's. */
function readText(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}

async function ps(args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)("ps", [...args], { env: { ...process.env, LC_ALL: "C" } }).catch(() => ({
    stdout: "",
  }));
  return stdout;
}
