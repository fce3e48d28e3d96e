// Support for tests in workerd: a provisioned organization with two environments, and a host that speaks the reference
// protocol.
import { runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { vi } from "vitest";
import type { ActiveKey, EnvironmentState } from "../../shared/contracts/environment.ts";
import { newEnvironmentId, newKeyId, newOrganizationId } from "../../shared/ids/ids.ts";
import { deriveApiKey } from "../../shared/ids/keys.ts";
import { clockOffset, setClockOffset } from "../../shared/kernel/clock.ts";
import { type Env, type EnvironmentObject, keySecrets } from "../../workers/env.ts";

export const bindings = env as unknown as Env;

/** The object as it runs in workerd: the methods of its class, hibernation handlers included. */
export type EnvironmentInstance = EnvironmentObject & {
  webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void>;
  webSocketClose(socket: WebSocket, code: number, reason: string): Promise<void>;
};

export interface TestEnvironment {
  readonly id: string;
  readonly slug: string;
  readonly keyId: string;
  readonly key: string;
  readonly stub: ReturnType<Env["ENVIRONMENT"]["getByName"]>;
  readonly state: EnvironmentState;
}

export async function makeEnvironment(slug: string, organizationId = newOrganizationId()): Promise<TestEnvironment> {
  const id = newEnvironmentId();
  const keyId = newKeyId();
  const key = await deriveApiKey(await keySecrets(bindings), { environmentSlug: slug, environmentId: id, keyId });
  const stub = bindings.ENVIRONMENT.getByName(id);
  const state: EnvironmentState = {
    revision: 1,
    organization: { id: organizationId, slug: "acme" },
    environment: { id, slug },
    keys: [{ id: keyId, scopes: [], expiresAt: null }],
  };
  await stub.provision(state);
  return { id, slug, keyId, key, stub, state };
}

/** Another key of an environment. The key becomes active when a pushed state lists it. */
export async function makeKey(
  { id, slug }: Pick<TestEnvironment, "id" | "slug">,
  keyId = newKeyId(),
): Promise<{ id: string; key: string }> {
  const parts = { environmentSlug: slug, environmentId: id, keyId };
  return { id: keyId, key: await deriveApiKey(await keySecrets(bindings), parts) };
}

/** Pushes the environment's state with these keys, like the control plane. */
export function pushKeys(
  { stub, state }: TestEnvironment,
  revision: number,
  keys: readonly (Partial<ActiveKey> & { id: string })[],
): Promise<{ revision: number }> {
  return stub.provision({ ...state, revision, keys: keys.map((key) => ({ scopes: [], expiresAt: null, ...key })) });
}

/** Runs code inside an environment's object, beside its own. */
export function inside<T>(
  stub: TestEnvironment["stub"],
  work: (state: DurableObjectState, instance: EnvironmentInstance) => T | Promise<T>,
): Promise<T> {
  return runInDurableObject(stub, (instance, state) => work(state, instance as EnvironmentInstance));
}

/** The rows that a query returns inside an environment's object. */
export function rows<T extends Record<string, SqlStorageValue> = Record<string, SqlStorageValue>>(
  { stub }: Pick<TestEnvironment, "stub">,
  query: string,
  ...values: SqlStorageValue[]
): Promise<T[]> {
  return inside(stub, ({ storage }) => storage.sql.exec<T>(query, ...values).toArray());
}

/** Names of the tables of an object, without the platform's own. */
export async function tables(stub: TestEnvironment["stub"]): Promise<string[]> {
  const query =
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\' ORDER BY name";
  return (await rows<{ name: string }>({ stub }, query)).map(({ name }) => name);
}

/**
 * Puts a bug into the object's storage until it is evicted: the statement that `breaks` picks throws after its
 * execution. `breaks` gets the text and the bound values of every statement.
 */
export function injectBug(
  { stub }: Pick<TestEnvironment, "stub">,
  breaks: (query: string, values: readonly unknown[]) => boolean,
): Promise<void> {
  return inside(stub, ({ storage: { sql } }) => {
    const exec = sql.exec.bind(sql) as (query: string, ...values: unknown[]) => SqlStorageCursor<never>;
    sql.exec = ((query: string, ...values: unknown[]) => {
      const cursor = exec(query, ...values);
      if (!breaks(query, values)) return cursor;
      cursor.toArray();
      throw new Error("an injected bug");
    }) as typeof sql.exec;
  });
}

/** Waits until the expectations hold. */
export function eventually<T>(expectations: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(expectations, { timeout: 10_000, interval: 5 });
}

/** Moves the router's clock ahead; the objects are not told. */
export function advanceClock(ms: number): void {
  setClockOffset(clockOffset() + ms);
}

export function resetClock(): void {
  setClockOffset(0);
}

/** A request to the whole script, as if from outside. */
export function request(path: string, init: RequestInit = {}): Promise<Response> {
  return (exports as unknown as { default: Fetcher }).default.fetch(
    new Request(`https://switchyard.test${path}`, init),
  );
}

export function withKey(key: string, init: RequestInit = {}): RequestInit {
  return { ...init, headers: { ...(init.headers as Record<string, string>), authorization: `Bearer ${key}` } };
}

export function post(
  key: string,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return request(
    path,
    withKey(key, { method: "POST", body: text, headers: { "content-type": "application/json", ...headers } }),
  );
}

/** Posts one event and returns the answer; throws for a refusal. */
export async function send(
  key: string,
  name: string,
  payload: unknown = {},
  id?: string,
): Promise<{ id: string; runs: { id: string; workflow: string }[]; deliverAt?: string }> {
  const response = await post(key, "/api/v1/events", { ...(id !== undefined && { id }), event: { name, payload } });
  if (response.status !== 200) throw new Error(`not accepted: ${response.status} ${await response.text()}`);
  return response.json();
}

export async function getJson<T = Record<string, never>>(key: string, path: string): Promise<T> {
  const response = await request(path, withKey(key));
  return (await response.json()) as T;
}

type Json = Record<string, unknown>;
export interface Received extends Json {
  readonly id: string;
  readonly kind: "CALL" | "RESPONSE";
  readonly methodName: string;
  readonly data: Json & { id?: string };
}

/** A host on a WebSocket: acknowledges and keeps every frame, and makes the calls of a test. */
export class TestHost {
  readonly received: Received[] = [];
  /** The content of the frames in order: the data of each MESSAGE, as text. */
  readonly messages: string[] = [];
  /** Ids of the frames that the router acknowledged. */
  readonly acknowledged = new Set<string>();
  closed: { code: number; reason: string } | null = null;
  #waiting: (() => void)[] = [];
  #next = 1;
  /** Part of the ids of the calls: no two connections use the same, as with the reference client. */
  readonly #connection = crypto.randomUUID();
  readonly socket: WebSocket;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.accept();
    socket.addEventListener("message", ({ data }) => this.#take(String(data)));
    socket.addEventListener("close", ({ code, reason }) => {
      this.closed = { code, reason };
      this.#wake();
    });
  }

  static async connect(key: string): Promise<TestHost> {
    const response = await request("/ws", withKey(key, { headers: { upgrade: "websocket" } }));
    if (!response.webSocket) throw new Error(`no upgrade: ${response.status}`);
    return new TestHost(response.webSocket);
  }

  /** Connects and registers a workflow for a custom event. */
  static async listening(
    key: string,
    workflowId: string,
    event: string,
    { payload = {}, ...more }: { payload?: Json; [field: string]: unknown } = {},
  ): Promise<TestHost> {
    const host = await TestHost.connect(key);
    const filter = { event: [event], payload };
    const answer = await host.call("INITIALIZE_HOST_V2", registration(workflowId, event, filter, more));
    if ((answer as { type?: string }).type !== "success") throw new Error(`refused: ${JSON.stringify(answer)}`);
    return host;
  }

  send(data: Json): void {
    this.socket.send(JSON.stringify({ type: "MESSAGE", id: `f${this.#next++}`, data: JSON.stringify(data) }));
  }

  async call(methodName: string, data: unknown, id = `${this.#connection}.${this.#next++}`): Promise<unknown> {
    this.send({ id, kind: "CALL", methodName, data });
    const answer = await this.until((m) => m.kind === "RESPONSE" && m.id === id);
    return answer.data;
  }

  /** The next message that fits and was not taken before. */
  async until(fits: (message: Received) => boolean): Promise<Received> {
    for (;;) {
      const at = this.received.findIndex(fits);
      const [message] = at < 0 ? [] : this.received.splice(at, 1);
      if (message) return message;
      if (this.closed) throw new Error(`closed with ${this.closed.code}: ${this.closed.reason}`);
      await this.#change();
    }
  }

  /** Takes the next run that is offered, answering the offer. */
  async offer(): Promise<{ id: string; input: unknown; meta: Json }> {
    const call = await this.until((m) => m.methodName === "TRIGGER_WORKFLOW");
    this.send({ id: call.id, kind: "RESPONSE", methodName: "TRIGGER_WORKFLOW", data: true });
    const { id, trigger, meta } = call.data as { id: string; trigger: { input: unknown }; meta: Json };
    return { id, input: trigger.input, meta };
  }

  /** Waits until the router has answered all earlier frames, and so until all its earlier frames have arrived. */
  async settled(): Promise<void> {
    // No start: its answer would come before the answers that wait for a commit.
    await this.call("COMPLETE_WORKFLOW_RUN", { runId: "run_none" });
  }

  /** Takes this many runs, one after the other. */
  async offers(count: number): Promise<string[]> {
    const ids: string[] = [];
    while (ids.length < count) ids.push((await this.offer()).id);
    return ids;
  }

  offersWaiting(): number {
    return this.received.filter((m) => m.methodName === "TRIGGER_WORKFLOW").length;
  }

  start = (runId: string) => this.call("START_WORKFLOW_RUN", { runId, timestamp: "1" });
  complete = (runId: string, output?: unknown) =>
    this.call("COMPLETE_WORKFLOW_RUN", { runId, output: JSON.stringify(output), timestamp: "1" });

  /** Waits until the router acknowledged a frame. */
  async acknowledgement(frameId: string): Promise<void> {
    while (!this.acknowledged.has(frameId)) await this.#change();
  }

  async closure(): Promise<{ code: number; reason: string }> {
    while (!this.closed) await this.#change();
    return this.closed;
  }

  #take(text: string): void {
    const frame = JSON.parse(text) as { type: string; id: string; data: string };
    if (frame.type === "ACK") {
      this.acknowledged.add(frame.id);
      this.#wake();
      return;
    }
    this.messages.push(frame.data);
    this.socket.send(JSON.stringify({ type: "ACK", id: frame.id }));
    if (frame.data !== "AUTHENTICATED") this.received.push(JSON.parse(frame.data));
    this.#wake();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

export function registration(workflowId: string, event: string, filter: Json, more: Json = {}): Json {
  return {
    workflowId,
    workflowName: workflowId,
    trigger: { type: "CUSTOM_EVENT", service: "trigger", name: event, filter },
    packageName: "@trigger.dev/sdk",
    packageVersion: "0.2.22",
    ...more,
  };
}
