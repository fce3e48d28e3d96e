// pg-boss on a PostgreSQL of the benchmark's own with default settings: a commit is on disk before its answer. An HTTP
// front inserts a job, a worker in another process takes it.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, chown, mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startProcess, startProgram, stopChild, usageOf } from "../processes/child.ts";
import type { System } from "../system.ts";

const PACKAGE = fileURLToPath(new URL("../node_modules/pg-boss", import.meta.url));
/** Debian and others put the server's programs here, outside the path. */
const VERSIONS = "/usr/lib/postgresql";

export const pgBoss: System = {
  name: "pg-boss",
  note: "a worker that fetches 100 at a time, polling every 0.5 s as its smallest",
  async missing() {
    if (!existsSync(PACKAGE)) return "npm ci --prefix bench";
    return (await findPrograms()) === null ? "apt-get install postgresql" : null;
  },
  async start(directory) {
    const programs = (await findPrograms()) ?? "";
    const user = await serverUser();
    const data = join(directory, "data");
    await mkdir(data);
    // PostgreSQL refuses to run as root. As root, this starts it as another user, who needs access to its directory.
    if (user) {
      await chmod(join(directory, ".."), 0o755);
      await chmod(directory, 0o755);
      await chown(directory, user.uid, user.gid);
      await chown(data, user.uid, user.gid);
    }
    await promisify(execFile)(join(programs, "initdb"), ["-D", data, "-U", "bench", "-A", "trust"], { ...user });
    const listen = ["-c", "listen_addresses=", "-c", `unix_socket_directories=${directory}`];
    const { child, ended } = startProgram(join(programs, "postgres"), ["-D", data, ...listen], { ...user });
    const socket = join(directory, ".s.PGSQL.5432");
    while (!existsSync(socket)) await Promise.race([wait(20), ended]);
    await promisify(execFile)(join(programs, "pg_isready"), ["-h", directory, "-t", "10"]).catch(() => wait(500));
    const env = { BENCH_POSTGRES_URL: `postgresql://bench@/postgres?host=${encodeURIComponent(directory)}` };
    const host = await startProcess("./pg-boss-host.ts", env);
    const front = await startProcess("./pg-boss-front.ts", env);
    return {
      url: String(front.ready),
      request: (n) => ({ path: "/", headers: {}, body: `{"n":${n}}` }),
      handled: (first, count) => host.handled(first, count),
      server: () => usageOf([child.pid, front.child.pid]),
      host: () => usageOf([host.child.pid]),
      async stop() {
        await front.stop();
        await host.stop();
        await stopChild(child);
      },
    };
  },
};

async function findPrograms(): Promise<string | null> {
  const versions = (await readdir(VERSIONS).catch(() => [])).sort((a, b) => Number(b) - Number(a));
  const directories = [
    ...versions.map((version) => join(VERSIONS, version, "bin")),
    ...(process.env.PATH ?? "").split(":"),
  ];
  return directories.find((each) => existsSync(join(each, "postgres")) && existsSync(join(each, "initdb"))) ?? null;
}

/** The user for the server; null unless this process runs as root. */
async function serverUser(): Promise<{ uid: number; gid: number } | null> {
  if (process.getuid?.() !== 0) return null;
  const passwd = await readFile("/etc/passwd", "utf8");
  const [, uid, gid] = /^(?:postgres|nobody):[^:]*:(\d+):(\d+):/m.exec(passwd) ?? [];
  return { uid: Number(uid), gid: Number(gid) };
}
