// This router: the script that would be deployed, on workerd, with its storage on disk.
import { setTimeout as wait } from "node:timers/promises";
import { memoryOf, startProcess } from "../processes/child.ts";
import type { Running, System } from "../system.ts";

const EVENT = "bench.event";

/** A router, and the event's request. `host` is the process that handles, or null for none. */
async function start(directory: string, host: string | null): Promise<Running> {
  const router = await startProcess("./router.ts", { STORAGE: directory });
  const { url, ws, environments } = router.ready as Ready;
  const { key } = environments.development;
  const env = {
    ROUTER_WS: ws,
    ROUTER_KEY: key,
    TRIGGER_API_KEY: key,
    TRIGGER_API_URL: url,
    TRIGGER_WSS_URL: ws,
    EVENT,
  };
  const process_ = host === null ? null : await startProcess(host, env);
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  if (process_) await connected(url, headers);
  return {
    url,
    request: (n) => ({
      path: "/api/v1/events",
      headers,
      body: `{"id":"bench-${n}","event":{"name":"${EVENT}","payload":{"n":${n}}}}`,
    }),
    handled: process_ && ((first, count) => process_.handled(first, count)),
    memory: () => memoryOf([router.child.pid, process_?.child.pid]),
    async stop() {
      await process_?.stop();
      await router.stop();
    },
  };
}

/** The reference client does not say when it is registered. */
async function connected(url: string, headers: Record<string, string>): Promise<void> {
  for (;;) {
    const answer = await fetch(`${url}/api/v1/workflows`, { headers });
    const { data } = (await answer.json()) as { data: { hosts: unknown[] }[] };
    if (data.some(({ hosts }) => hosts.length > 0)) return;
    await wait(50);
  }
}

interface Ready {
  readonly url: string;
  readonly ws: string;
  readonly environments: { readonly development: { readonly key: string } };
}

export const switchyard: System = {
  name: "switchyard",
  note: "a thin host with the whole protocol; completion is the router's answer",
  missing: async () => null,
  start: (directory) => start(directory, "./thin-host.ts"),
};

export const switchyardReference: System = {
  name: "switchyard, reference client",
  note: "@trigger.dev/sdk 0.2.22, unmodified; its own process is the limit",
  missing: async () => null,
  start: (directory) => start(directory, "./reference-host.ts"),
};

export const switchyardIngestion: System = {
  name: "switchyard, events only",
  note: "no host is connected and no workflow registered: events are stored",
  missing: async () => null,
  start: (directory) => start(directory, null),
};
