// BullMQ on a Redis of the benchmark's own: once with every write on disk before its answer, once with a write to disk
// each second, which can lose the acknowledged events of the last second.

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startProcess, startProgram, stopChild, usageOf } from "../processes/child.ts";
import type { System } from "../system.ts";

const PACKAGE = fileURLToPath(new URL("../node_modules/bullmq", import.meta.url));

function onRedis(fsync: "always" | "everysec", note: string): System {
  return {
    name: `bullmq, appendfsync ${fsync}`,
    note,
    async missing() {
      if (!existsSync(PACKAGE)) return "npm ci --prefix bench";
      const found = await promisify(execFile)("redis-server", ["--version"]).catch(() => null);
      return found ? null : "apt-get install redis-server";
    },
    async start(directory) {
      const socket = join(directory, "redis.sock");
      const args = ["--port", "0", "--unixsocket", socket, "--dir", directory, "--appendonly", "yes", "--save", ""];
      const { child } = startProgram("redis-server", [...args, "--appendfsync", fsync], {});
      const host = await startProcess("./bullmq-host.ts", { REDIS: socket });
      const front = await startProcess("./bullmq-front.ts", { REDIS: socket });
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
}

export const bullmqAlways = onRedis(
  "always",
  "a worker with 100 at a time; every write is on disk before it is answered",
);
export const bullmqEverySecond = onRedis("everysec", "the same, on disk each second: not as durable as the others");
