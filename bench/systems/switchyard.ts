// This router, as `npm start` runs it: the script that would be deployed, in workerd, with its storage on disk.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { memoryOf, startProcess, startProgram, stopChild } from "../processes/child.ts";
import type { Running, System } from "../system.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const EVENT = "bench.event";

/** A router, and the event's request. `host` is the process that handles, or null for none. */
async function start(directory: string, host: string | null): Promise<Running> {
  const { child, ended } = startProgram(process.execPath, ["scripts/start.mjs", "--port", "0", "--data", directory], {
    cwd: ROOT,
  });
  const ready = await Promise.race([readReady(join(directory, "ready.json")), ended]);
  const { url, ws, environments } = ready;
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
  if (process_) await Promise.race([connected(url, headers), ended]);
  return {
    url,
    request: (n) => ({
      path: "/api/v1/events",
      headers,
      body: `{"id":"bench-${n}","event":{"name":"${EVENT}","payload":{"n":${n}}}}`,
    }),
    handled: process_ && ((first, count) => process_.handled(first, count)),
    memory: () => memoryOf([child.pid, process_?.child.pid]),
    async stop() {
      await process_?.stop();
      await stopChild(child);
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

async function readReady(file: string): Promise<Ready> {
  for (;;) {
    const text = await readFile(file, "utf8").catch(() => null);
    if (text !== null) return JSON.parse(text) as Ready;
    await wait(50);
  }
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
