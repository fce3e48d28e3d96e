// This router: the deployed script, on workerd, with its storage on disk.
import { once } from "node:events";
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { type HostProcess, startProcess, usageOf } from "../processes/child.ts";
import type { Running, System } from "../system.ts";

const EVENT = "bench.event";

export interface Setting {
  /** The handling process; null for none, and then no workflow is registered. */
  readonly host: "thin-host.ts" | "reference-host.ts" | "batched-host.ts" | null;
  /** A script of ./scripts to put before the router's own. */
  readonly script?: "counted.js" | "batched.js";
  /** Workflows registered beside the one that runs. */
  readonly workflows?: number;
  /** Connected hosts, 1 by default: all of one workflow, or each of its own. */
  readonly hosts?: number;
  readonly spread?: boolean;
  /** Past events, each with its run, stored before the first new one. */
  readonly stored?: number;
  readonly payloadBytes?: number;
}

export interface RunningRouter extends Running {
  /** Statements that have reached Postgres. */
  statements(): Promise<number>;
}

interface Ready {
  readonly url: string;
  readonly ws: string;
  readonly pid: number;
  readonly environments: { readonly development: { readonly key: string } };
}

let database: Promise<HostProcess> | null = null;

async function startDatabase(): Promise<HostProcess> {
  const directory = await mkdtemp(join(tmpdir(), "switchyard-bench-postgres-"));
  process.on("exit", () => rmSync(directory, { recursive: true, force: true }));
  return startProcess("./database.ts", { STORAGE: directory });
}

/** Starts a router with its data in this empty directory. */
export async function startRouter(directory: string, setting: Setting): Promise<RunningRouter> {
  const { host, script = "", workflows = 0, hosts = 1, spread = false, stored = 0, payloadBytes = 0 } = setting;
  database ??= startDatabase();
  const postgres = await database;
  const { connectionString, url: endpoint } = postgres.ready as { connectionString: string; url: string };
  const router = await startProcess("./router.ts", {
    STORAGE: directory,
    SCRIPT: script,
    STORED: String(stored),
    DATABASE_URL: connectionString,
    DATABASE_ENDPOINT: endpoint,
  });
  const { url, ws, pid, environments } = router.ready as Ready;
  const { key } = environments.development;
  const env = {
    ROUTER_WS: ws,
    ROUTER_KEY: key,
    TRIGGER_API_KEY: key,
    TRIGGER_API_URL: url,
    TRIGGER_WSS_URL: ws,
    EVENT,
    WORKFLOWS: String(workflows),
    HOSTS: String(hosts),
    ...(spread && { SPREAD: "1" }),
  };
  const process_ = host === null ? null : await startProcess(`./${host}`, env);
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  if (process_) await connected(url, headers);
  const filling = payloadBytes === 0 ? "" : `,"filling":"${"x".repeat(payloadBytes)}"`;
  return {
    url,
    request: (n) => ({
      path: "/api/v1/events",
      headers,
      body: `{"id":"bench-${n}","event":{"name":"${EVENT}","payload":{"n":${n}${filling}}}}`,
    }),
    handled: process_ && ((first, count) => process_.handled(first, count)),
    server: () => usageOf([pid]),
    host: process_ && (() => usageOf([process_.child.pid])),
    statements: () => ask(postgres),
    async stop() {
      await process_?.stop();
      await router.stop();
    },
  };
}

async function ask({ child }: HostProcess): Promise<number> {
  child.send("statements");
  const [statements] = (await once(child, "message")) as [number];
  return statements;
}

/** The reference client does not report that it is registered. */
async function connected(url: string, headers: Record<string, string>): Promise<void> {
  for (;;) {
    const answer = await fetch(`${url}/api/v1/workflows/${EVENT}/runs`, { headers });
    if (answer.ok) return;
    await wait(50);
  }
}

function system(name: string, note: string, setting: Setting): System {
  return { name, note, missing: async () => null, start: (directory) => startRouter(directory, setting) };
}

export const switchyard = system(
  "switchyard",
  "a thin host with the whole protocol; completion is the router's answer",
  {
    host: "thin-host.ts",
  },
);

export const switchyardReference = system(
  "switchyard, reference client",
  "@trigger.dev/sdk 0.2.22, unmodified; its own process is a limit",
  { host: "reference-host.ts" },
);

export const switchyardIngestion = system(
  "switchyard, events only",
  "no host is connected and no workflow registered: events are stored",
  { host: null },
);

export const switchyardBatched = system(
  "prototype: batched frames",
  "another wire before the same router: many frames in one, one acknowledgement for all; no client speaks it",
  { host: "batched-host.ts", script: "batched.js" },
);
