// The cost of the platform alone on this machine: a Worker that answers, and an object that stores one row per event,
// shares commits like the router, and does nothing else: no key, no schema, no look-up.
import { join } from "node:path";
import { startProcess, usageOf } from "../processes/child.ts";
import type { System } from "../system.ts";

function floor(name: string, path: string, note: string): System {
  return {
    name,
    note,
    missing: async () => null,
    async start(directory) {
      const server = await startProcess("./floor-server.ts", { STORAGE: join(directory, "storage") });
      const { url, pid } = server.ready as { url: string; pid: number };
      return {
        url,
        request: (n) => ({ path, headers: { "content-type": "application/json" }, body: `{"n":${n}}` }),
        handled: null,
        server: () => usageOf([pid]),
        host: null,
        stop: () => server.stop(),
      };
    },
  };
}

export const bareWorker = floor("floor: a bare Worker", "/worker", "answers 200; shows what the load can send");
export const bareObject = floor(
  "floor: a bare object",
  "/object",
  "one row and one frame for each event, commits shared; no key, no schema, no look-up",
);
