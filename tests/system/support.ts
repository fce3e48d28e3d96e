// A whole router and hosts of the reference client, each in processes of its own, and what a test asks of them.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll } from "vitest";
import { endProcesses, findMarked } from "../../scripts/local/processes.ts";
import type { Ready } from "../../scripts/local/ready.ts";
import type { AcceptedEvent } from "../../shared/api/events.ts";
import type { Run, RunSummary, RunsPage } from "../../shared/api/runs.ts";
import type { WorkflowDetails } from "../../shared/api/workflows.ts";
import { Child, endChildren, ROOT } from "./children.ts";

const POLL_MS = 25;
const HAPPENS_WITHIN_MS = 30_000;

export type EnvironmentName = "live" | "development";

const directories: string[] = [];

/** A directory for one test's data, removed at the end of the file together with what still runs on it. */
export async function dataDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "switchyard-test-"));
  directories.push(directory);
  return directory;
}

afterAll(async () => {
  await endChildren();
  for (const directory of directories) {
    // A router that a test killed leaves its runtime behind, for the next start to end.
    await endProcesses(await runtimesOn(directory));
    await rm(directory, { recursive: true, force: true });
  }
});

/** Process ids of the runtimes that work on this data. */
export function runtimesOn(directory: string): Promise<number[]> {
  return findMarked("workerd", "SWITCHYARD_DATA", directory);
}

export interface Router {
  readonly child: Child;
  readonly directory: string;
  readonly ready: Ready;
}

export interface RouterOptions {
  /** The data of an earlier start; a new directory unless given. */
  readonly directory?: string;
  /** A free one unless given. */
  readonly port?: string;
}

/** Starts a router whose clock can be moved, and answers when it takes requests. */
export async function startRouter({ directory, port = "0" }: RouterOptions = {}): Promise<Router> {
  const data = directory ?? (await dataDirectory());
  const args = ["scripts/local/main.ts", "--port", port, "--data", data, "--movable-clock"];
  // What a killed router leaves behind is removed with the rest.
  const child = new Child(args, { env: { TMPDIR: await dataDirectory() } });
  await child.printed(/Switchyard runs at/);
  const ready = JSON.parse(await readFile(join(data, "ready.json"), "utf8")) as Ready;
  return { child, directory: data, ready };
}

export function portOf(router: Router): string {
  return new URL(router.ready.url).port;
}

/** The three variables that point the reference client to this router, with the key of an environment. */
export function clientVariables({ ready }: Router, environment: EnvironmentName): Record<string, string> {
  return {
    TRIGGER_API_KEY: ready.environments[environment].key,
    TRIGGER_API_URL: ready.url,
    TRIGGER_WSS_URL: ready.ws,
  };
}

/** Runs a program of tests/reference. */
export function startReference(
  router: Router,
  environment: EnvironmentName,
  program: string,
  env: Record<string, string> = {},
): Child {
  const args = ["--import", `${ROOT}tests/system/end-with-parent.ts`, program];
  return new Child(args, { cwd: `${ROOT}tests/reference`, env: { ...clientVariables(router, environment), ...env } });
}

/** Runs a program of tests/reference whose `workflows` (one unless given) listen when this answers. */
export async function startHost(
  router: Router,
  environment: EnvironmentName,
  program: string,
  { env = {}, workflows = 1 }: { env?: Record<string, string>; workflows?: number } = {},
): Promise<Child> {
  const host = startReference(router, environment, program, env);
  await host.printed(new RegExp(`(listening for events.*?){${workflows}}`, "is"));
  return host;
}

export interface Answered {
  readonly status: number;
  readonly body: string;
}

/** One keep-alive connection to a router, with a key. */
export class Connection {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #url: string;
  readonly #key: string;

  constructor({ ready }: Router, environment: EnvironmentName) {
    this.#url = ready.url;
    this.#key = ready.environments[environment].key;
  }

  /** A request as it stands: `body` is sent unchanged when it is text, as JSON otherwise. */
  send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answered> {
    const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
    const own = {
      authorization: `Bearer ${this.#key}`,
      // Node gives no length to the body of a DELETE by itself.
      ...(text !== undefined && { "content-type": "application/json", "content-length": Buffer.byteLength(text) }),
    };
    return new Promise((resolve, reject) => {
      const sent = request(this.#url + path, { method, agent: this.#agent, headers: { ...own, ...headers } });
      sent.on("error", reject);
      sent.on("response", (response) => {
        let answer = "";
        response.setEncoding("utf8").on("data", (part: string) => {
          answer += part;
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body: answer }));
        response.on("error", reject);
      });
      sent.end(text);
    });
  }

  /** Sends an event that has to be accepted. */
  async event(name: string, payload: unknown, id?: string): Promise<AcceptedEvent> {
    return this.#json("POST", "/api/v1/events", { id, event: { name, payload } });
  }

  run(id: string): Promise<Run> {
    return this.#json("GET", `/api/v1/runs/${id}`);
  }

  /** All runs of the environment, the newest first. */
  async runs(): Promise<RunSummary[]> {
    const all: RunSummary[] = [];
    let cursor = "";
    for (;;) {
      const page: RunsPage = await this.#json("GET", `/api/v1/runs?limit=100${cursor}`);
      all.push(...page.data);
      if (page.next === null) return all;
      cursor = `&cursor=${page.next}`;
    }
  }

  /** The run when it has this status; fails when it has ended with another. */
  runWith(id: string, status: Run["status"]): Promise<Run> {
    return until(`run ${id} is ${status}`, async () => {
      const run = await this.run(id);
      if (run.status === status) return run;
      if (run.finishedAt) throw new Error(`run ${id} has ended with ${run.status}: ${JSON.stringify(run)}`);
      return null;
    });
  }

  /** Waits until as many hosts serve the workflow. */
  async hostsBecome(slug: string, count: number): Promise<void> {
    await until(`${count} hosts serve ${slug}`, async () => {
      const { data } = await this.#json<{ data: WorkflowDetails[] }>("GET", "/api/v1/workflows");
      return (data.find((workflow) => workflow.slug === slug)?.hosts.length ?? 0) === count;
    });
  }

  close(): void {
    this.#agent.destroy();
  }

  async #json<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answered = await this.send(method, path, body);
    if (answered.status !== 200) throw new Error(`${method} ${path} was answered ${answered.status}: ${answered.body}`);
    return JSON.parse(answered.body) as T;
  }
}

/** Sends an event that makes one run, and answers the run's id. */
export async function sendForOneRun(connection: Connection, name: string, payload: unknown): Promise<string> {
  const { runs } = await connection.event(name, payload);
  const [run] = runs;
  if (runs.length !== 1 || run === undefined) throw new Error(`the event ${name} made ${runs.length} runs, not one`);
  return run.id;
}

/** Asks again and again until there is an answer; throws when there is none in time. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | null | undefined | false>,
  withinMs = HAPPENS_WITHIN_MS,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null && answer !== undefined && answer !== false) return answer;
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await delay(POLL_MS);
  }
}

/** The lines of the router's log, as text. */
export async function readLog({ directory }: Router): Promise<string[]> {
  return (await readFile(join(directory, "router.log"), "utf8")).split("\n").filter((line) => line !== "");
}
