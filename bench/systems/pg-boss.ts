// pg-boss on PostgreSQL: an HTTP front that inserts a job, a worker in another process. BENCH_POSTGRES_URL names the
// server; its durability is the server's own (synchronous_commit is on unless it was turned off).
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { memoryOf, startProcess } from "../processes/child.ts";
import type { System } from "../system.ts";

const PACKAGE = fileURLToPath(new URL("../node_modules/pg-boss", import.meta.url));

export const pgBoss: System = {
  name: "pg-boss",
  note: "a worker that fetches 100 at a time, polling every 0.5 s as its smallest; PostgreSQL's own memory is not counted",
  async missing() {
    if (!existsSync(PACKAGE)) return "npm ci --prefix bench";
    if (!process.env.BENCH_POSTGRES_URL) return "a PostgreSQL server; name it with BENCH_POSTGRES_URL";
    return null;
  },
  async start() {
    const env = { SCHEMA: `bench_${Date.now()}` };
    const host = await startProcess("./pg-boss-host.ts", env);
    const front = await startProcess("./pg-boss-front.ts", env);
    return {
      url: String(front.ready),
      request: (n) => ({ path: "/", headers: {}, body: `{"n":${n}}` }),
      handled: (first, count) => host.handled(first, count),
      memory: () => memoryOf([host.child.pid, front.child.pid]),
      async stop() {
        await front.stop();
        await host.stop();
      },
    };
  },
};
