// Other processes of this machine: their identity, and the search for those started for a data directory. An id alone
// proves nothing: after a restart it belongs to another process.
import { execFile } from "node:child_process";
import { readdir, readFile, readlink } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

const ENDED_WITHIN_MS = 5_000;
const LOOK_AGAIN_MS = 20;

/** A mark that tells a process from every other with the same id, past or future; undefined if the id is unused. */
export async function processIdentity(pid: number): Promise<string | undefined> {
  if (process.platform !== "linux") return (await ps(["-o", "lstart=", "-p", String(pid)])).trim() || undefined;
  const status = await readText(`/proc/${pid}/stat`);
  if (status === undefined) return undefined;
  // The name is in brackets and may contain anything. Behind it follow field 3, the state, and field 20, the number of
  // threads, and field 22, the start in ticks.
  const fields = status.slice(status.lastIndexOf(")") + 2).split(" ");
  // A process that has ended but was not waited for. Its other threads, if any, still hold its files and ports.
  if (fields[0] === "Z" && (await threadsOf(pid)) <= 1) return undefined;
  return `${(await readText("/proc/sys/kernel/random/boot_id"))?.trim()}:${fields[19]}`;
}

/** Number of threads of a process. */
async function threadsOf(pid: number): Promise<number> {
  return (await readdir(`/proc/${pid}/task`).catch(() => [])).length;
}

/**
 * Ids of this user's processes that run `program` and were started with `NAME=value` in their environment. The mark is
 * set by whoever starts the process: nothing needs to be written down, and nothing else can match.
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

/** Ends processes at once and waits until they are gone. Throws if one of them stays. */
export async function endProcesses(pids: readonly number[]): Promise<void> {
  const identities = await Promise.all(pids.map(processIdentity));
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // The process ended by itself.
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

/** Undefined if the file or the process does not exist, or belongs to another user. */
function readText(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}

async function ps(args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)("ps", [...args], { env: { ...process.env, LC_ALL: "C" } }).catch(() => ({
    stdout: "",
  }));
  return stdout;
}
