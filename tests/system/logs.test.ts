// Promise 7: no payload, key, secret or stack reaches a log line. And every request and run transition has its line.
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { Connection, type Router, readLog, sendForOneRun, startHost, startRouter, until } from "./support.ts";

interface Line {
  readonly [field: string]: unknown;
  readonly message: string;
}

/** Stands in everything that a sender or the user's code can put anywhere but into an address. */
const MARKER = `marker-${randomUUID()}`;
const FAILING_WORKFLOWS = 5;

let router: Router;
let development: Connection;
let secrets: { KEY_SECRETS: string; SETUP_TOKEN: string };
/** Every request that was sent here, as `METHOD path status`. */
const requests: string[] = [];
const runs = { succeeded: "", logged: "", failed: "", unfit: "", interrupted: "" };
let lines: Line[];

beforeAll(async () => {
  router = await startRouter();
  secrets = JSON.parse(await readFile(join(router.directory, "secrets.json"), "utf8"));
  development = new Connection(router, "development");
  await startHost(router, "development", "echo.ts");
  await startHost(router, "development", "logs.ts");
  await startHost(router, "development", "fails.ts", { workflows: FAILING_WORKFLOWS });
  await routeEvents();
  await sendWhatIsRefused();
  await sendFrames();
  const last = requests.at(-1);
  lines = await until("the last request is in the log", async () => {
    const read = (await readLog(router)).map((line) => JSON.parse(line) as Line);
    return read.some((line) => line.message === "request" && described(line) === last) ? read : null;
  });
});
afterAll(() => development.close());

/** Runs that end in every way, each with the marker in its payload, output, logs or error. */
async function routeEvents(): Promise<void> {
  const send = (name: string) => sendForOneRun(development, name, { text: MARKER });
  runs.succeeded = await send("echo.this");
  runs.logged = await send("log.this");
  runs.failed = await send("throw.error");
  runs.unfit = await send("break.schema");
  runs.interrupted = await interruptedRun();
  const ended = [
    await development.runWith(runs.succeeded, "SUCCESS"),
    await development.runWith(runs.logged, "SUCCESS"),
    await development.runWith(runs.failed, "ERROR"),
  ];
  await development.runWith(runs.unfit, "ERROR");
  for (const run of ended) expect(JSON.stringify(run)).toContain(MARKER);
}

/** A run whose first host is killed in the middle of it. */
async function interruptedRun(): Promise<string> {
  const env = { COUNTER_FILE: join(router.directory, "counted") };
  const killed = await startHost(router, "development", "counter.ts", { env: { ...env, COUNTER_KEEPS: "1" } });
  const run = await sendForOneRun(development, "count.this", { n: 1, text: MARKER });
  await development.runWith(run, "RUNNING");
  await killed.stop("SIGKILL");
  await development.runWith(run, "DISCONNECTED");
  await startHost(router, "development", "counter.ts", { env });
  await development.runWith(run, "SUCCESS");
  return run;
}

async function request(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<void> {
  const { status } = await development.send(method, path, body, headers);
  requests.push(`${method} ${path.split("?")[0]} ${status}`);
}

/** Requests that are refused for every reason there is, with the marker, keys and tokens where people put them. */
async function sendWhatIsRefused(): Promise<void> {
  const key = router.ready.environments.live.key;
  const event = { name: "echo.this", payload: { text: MARKER } };
  await request("POST", "/api/v1/events", { id: MARKER, event });
  await request("POST", "/api/v1/events", { id: MARKER, event: { ...event, payload: `other ${MARKER}` } });
  await request("POST", "/api/v1/events", `{"${MARKER}`);
  await request("POST", "/api/v1/events", { [MARKER]: MARKER, event: { name: MARKER, timestamp: MARKER } });
  await request("POST", "/api/v1/events", { event }, { "idempotency-key": MARKER.repeat(20) });
  await request("POST", "/api/v1/events", [{ event }, { event: { [MARKER]: MARKER } }]);
  await request(
    "POST",
    "/api/v1/events",
    { event },
    { authorization: `Bearer trigger_live_${MARKER.replaceAll("-", "")}` },
  );
  await request("POST", "/api/v1/events", { event }, { authorization: `Bearer ${key.replace(/.$/, "_")}` });
  await request("GET", `/api/v1/runs?cursor=${MARKER}&key=${key}`);
  await request("GET", `/api/v1/runs?status=${MARKER}`);
  await request("GET", `/api/v1/runs/${runs.failed}`);
  await request("GET", "/api/v1/workflows/unheard-of/runs");
  await request("DELETE", "/api/v1/events", { event });
  await request("GET", "/ws");
  const token = { authorization: `Bearer ${secrets.SETUP_TOKEN}` };
  await request("POST", "/api/v1/organizations", { name: MARKER }, token);
  await request("POST", "/api/v1/organizations", { name: MARKER }, token);
  await request("POST", "/api/v1/organizations", { name: 1, [MARKER]: MARKER }, token);
  await request("POST", "/api/v1/organizations", { name: MARKER }, { authorization: `Bearer ${MARKER}` });
  // By mistake a key is also put into an address: its line stands there without it.
  await development.send("GET", `/api/v1/runs/${key}`);
  await development.send("GET", `/api/v1/runs/${key.replaceAll("_", "%5F")}`);
  await request("GET", "/api/v1/nowhere");
}

/** Frames of every wrong form on one connection; the last call, which is answered, shows that all were read. */
async function sendFrames(): Promise<void> {
  const { key } = router.ready.environments.development;
  const socket = new WebSocket(router.ready.ws, { headers: { authorization: `Bearer ${key}` } });
  const call = (id: string, methodName: string, data: unknown) =>
    JSON.stringify({ type: "MESSAGE", id, data: JSON.stringify({ id, kind: "CALL", methodName, data }) });
  await new Promise<void>((resolve, reject) => {
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("the connection was closed")));
    socket.on("open", () => {
      socket.send(`{"${MARKER}`);
      socket.send(JSON.stringify({ type: MARKER, id: MARKER, data: MARKER }));
      socket.send(Buffer.from(MARKER));
      socket.send(call("1", MARKER, { runId: runs.failed, text: MARKER }));
      socket.send(call("2", "SEND_LOG", { runId: runs.failed, key: MARKER, log: MARKER }));
      socket.send(call("3", "INITIALIZE_HOST_V2", { apiKey: MARKER, workflowId: MARKER, workflowName: MARKER }));
      socket.send(call("4", "INITIALIZE_HOST_V2", { apiKey: key, workflowId: "last", trigger: MARKER }));
    });
    socket.on("message", (data) => {
      const frame = JSON.parse(String(data)) as { type: string; data: string };
      if (frame.type === "MESSAGE" && frame.data.includes('"id":"4"')) resolve();
    });
  });
  socket.removeAllListeners("close");
  socket.close();

  const refused = new WebSocket(router.ready.ws, { headers: { authorization: `Bearer ${MARKER}` } });
  const code = await new Promise<number>((resolve, reject) => {
    refused.on("error", reject);
    refused.on("close", resolve);
  });
  expect(code).toBe(4001);
  await request("GET", "/api/the/end");
}

const described = ({ method, path, status }: Line): string => `${method} ${path} ${status}`;

describe("the router's log", () => {
  it("has one JSON object a line, with time, level and message", async () => {
    expect(lines.length).toBeGreaterThan(requests.length);
    for (const line of lines) {
      expect(line).toMatchObject({ message: expect.stringMatching(/^[a-z ]+$/), time: expect.any(String) });
      expect(["debug", "info", "warn", "error"]).toContain(line.level);
      expect(new Date(String(line.time)).toISOString()).toBe(line.time);
    }
  });

  it("has a line for every request, with method, path, status and duration", () => {
    const logged = lines.filter(({ message }) => message === "request");
    for (const expected of new Set(requests)) {
      const times = requests.filter((sent) => sent === expected).length;
      const found = logged.filter((line) => described(line) === expected).length;
      // The test's own questions about runs and events are logged too.
      expect(found, expected).toBeGreaterThanOrEqual(times);
    }
    for (const line of logged) expect(line.ms).toEqual(expect.any(Number));
  });

  it("names the environment in the line of a request that was made with its key", () => {
    const made = lines.filter(({ path, status }) => path === "/api/v1/events" && status === 200);
    expect(made.length).toBeGreaterThan(0);
    for (const line of made) {
      expect(Object.values(line), JSON.stringify(line)).toContain(router.ready.environments.development.id);
    }
  });

  it.each([
    { run: "succeeded", what: "succeeds", transitions: ["PENDING", "RUNNING", "SUCCESS"] },
    { run: "logged", what: "logs", transitions: ["PENDING", "RUNNING", "SUCCESS"] },
    { run: "failed", what: "fails", transitions: ["PENDING", "RUNNING", "ERROR"] },
    { run: "unfit", what: "is refused by its schema", transitions: ["PENDING", "ERROR"] },
    {
      run: "interrupted",
      what: "loses its host",
      transitions: ["PENDING", "RUNNING", "DISCONNECTED", "RUNNING", "SUCCESS"],
    },
  ] as const)("has a line with ids for every transition of a run that $what", ({ run, transitions }) => {
    const own = lines.filter((line) => line.run === runs[run]);
    expect(own.map(({ status }) => status)).toEqual(transitions);
    for (const line of own) {
      expect(line).toMatchObject({
        message: "run",
        environment: router.ready.environments.development.id,
        organization: router.ready.organization.id,
        workflow: expect.any(String),
      });
    }
  });

  it("has nothing of payloads, outputs, logs and errors, no key, no secret and no stack", async () => {
    const text = (await readLog(router)).join("\n");
    const shown = router.child.output.split("Ctrl-C ends the router.").at(-1) ?? "";
    const keys = Object.values(router.ready.environments).map(({ key }) => key);
    const [, secret = ""] = secrets.KEY_SECRETS.split(":");
    const forbidden = [MARKER, MARKER.replaceAll("-", ""), ...keys, secret, secrets.SETUP_TOKEN];
    // The part of a key that proves it, however the rest is spelled.
    forbidden.push(...keys.map((key) => key.split("_").at(-1) ?? key));
    for (const [i, part] of forbidden.entries()) {
      expect(text.includes(part), `part ${i} is in the log`).toBe(false);
      expect(shown.includes(part), `part ${i} is shown`).toBe(false);
    }
    expect(text).not.toMatch(/stack|\bat [\w.<>#]+ \(|\.[jt]s:\d+/i);
  });
});
