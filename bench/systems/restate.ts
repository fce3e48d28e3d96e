// Restate: one-way sends to a service of its Node SDK. A send is acknowledged once it is in Restate's log on disk.
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { startProcess, startProgram, stopChild, usageOf } from "../processes/child.ts";
import type { System } from "../system.ts";

const SERVER = fileURLToPath(new URL("../node_modules/.bin/restate-server", import.meta.url));

export const restate: System = {
  name: "restate",
  note: "one-way send to a service of its Node SDK; the handler's return is taken for the completion",
  missing: async () => (existsSync(SERVER) ? null : "npm ci --prefix bench"),
  async start(directory) {
    const [ingress, admin, node, service] = (await Promise.all([freePort(), freePort(), freePort(), freePort()])) as [
      number,
      number,
      number,
      number,
    ];
    const { child, ended } = startProgram(SERVER, ["--base-dir", directory, "--node-name", "bench"], {
      env: {
        ...process.env,
        RUST_LOG: "off",
        RESTATE_LOG_FILTER: "off",
        DO_NOT_TRACK: "1",
        RESTATE_BIND_ADDRESS: `127.0.0.1:${node}`,
        RESTATE_ADVERTISED_ADDRESS: `http://127.0.0.1:${node}`,
        RESTATE_INGRESS__BIND_ADDRESS: `127.0.0.1:${ingress}`,
        RESTATE_ADMIN__BIND_ADDRESS: `127.0.0.1:${admin}`,
      },
    });
    const host = await startProcess("./restate-host.ts", { PORT: String(service) });
    await Promise.race([register(`http://127.0.0.1:${admin}/deployments`, `http://127.0.0.1:${service}`), ended]);
    const headers = { "content-type": "application/json" };
    return {
      url: `http://127.0.0.1:${ingress}`,
      request: (n) => ({
        path: "/bench/handle/send",
        headers: { ...headers, "idempotency-key": `bench-${n}` },
        body: `{"n":${n}}`,
      }),
      handled: (first, count) => host.handled(first, count),
      server: () => usageOf([child.pid]),
      host: () => usageOf([host.child.pid]),
      async stop() {
        await stopChild(child);
        await host.stop();
      },
    };
  },
};

async function register(admin: string, uri: string): Promise<void> {
  for (;;) {
    const body = JSON.stringify({ uri });
    const headers = { "content-type": "application/json" };
    const answer = await fetch(admin, { method: "POST", headers, body }).catch(() => null);
    if (answer?.ok) return;
    if (answer && answer.status < 500) throw new Error(`the service was not registered: ${await answer.text()}`);
    await wait(100);
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}
