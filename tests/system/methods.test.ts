// Each method of the reference client's context, in a real process, against a real router.
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Connection, type Router, sendForOneRun, startHost, startRouter, until } from "./support.ts";

const WORKFLOWS = 10;

let router: Router;
let connection: Connection;
let target: Server;
const authorizations: (string | undefined)[] = [];

beforeAll(async () => {
  let unavailable = 2;
  target = createServer(async (request, response) => {
    if (request.url === "/echo") {
      authorizations.push(request.headers.authorization);
      response.setHeader("content-type", "application/json").end(await text(request));
    } else if (request.url === "/text") response.setHeader("content-type", "text/plain").end("plain");
    else if (request.url === "/twice-503") response.writeHead(unavailable-- > 0 ? 503 : 200).end();
    else response.writeHead(Number(request.url?.slice(1))).end();
  });
  await new Promise<void>((resolve) => target.listen(0, "127.0.0.1", resolve));
  router = await startRouter();
  connection = new Connection(router, "development");
  const env = { TARGET_URL: `http://127.0.0.1:${(target.address() as AddressInfo).port}` };
  await startHost(router, "development", "methods.ts", { env, workflows: WORKFLOWS });
});
afterAll(() => {
  target.close();
  connection.close();
});

async function text(request: IncomingMessage): Promise<string> {
  let all = "";
  for await (const part of request) all += part;
  return all;
}

/** Runs a workflow to its end and answers the run. */
async function run(name: string) {
  return connection.runWith(await sendForOneRun(connection, name, {}), "SUCCESS");
}

describe("the client's context", () => {
  it.each(["wait.for", "wait.until"])("%s waits at least its time, and not much longer", async (name) => {
    const { output, tasks } = await run(name);
    const { waitedMs } = output as { waitedMs: number };
    expect(waitedMs).toBeGreaterThanOrEqual(990);
    expect(waitedMs).toBeLessThan(2_500);
    expect(tasks.every(({ type, status }) => type === "DURABLE_DELAY" && status === "SUCCESS")).toBe(true);
  });

  it("fetch sends JSON with the secure string joined, and shows it nowhere", async () => {
    const fetched = await run("fetch.json");
    expect(fetched.output).toEqual({ inContext: { a: 1 }, outside: [200, true, "plain"] });
    expect(authorizations).toEqual(["Bearer s3cret"]);
    expect(JSON.stringify(fetched)).not.toContain("s3cret");
  });

  it("fetch tries again, resolves what is no reason to, and rejects what stays or cannot be called", async () => {
    const { output, tasks } = await run("fetch.retry");
    expect(output).toEqual({
      later: 200,
      missing: [404, false],
      never: { rejectedWith: 503 },
      refused: { rejectedWith: "RefusedTarget" },
    });
    expect(tasks.map(({ tries }) => tries)).toEqual([3, 1, 3, 1]);
  });

  it("runOnce answers its callback's result, and names the run in the idempotency key", async () => {
    const { output, tasks } = await run("run.once");
    const { object, nothing, local, run: id } = output as Record<string, unknown>;
    expect(object).toEqual({ idempotencyKey: `${id}:object` });
    expect(nothing).toBe(0);
    expect(local).toBe(`${id}:local`);
    expect(tasks.map(({ key }) => key)).toEqual(["object", "nothing"]);
  });

  it("kv, globalKv and runKv keep, answer and delete items", async () => {
    const { output } = await run("kv");
    expect(output).toEqual({ before: "nothing", seen: [{ n: 1 }, [1, null, "x"], false], after: "nothing" });
  });

  it("sendEvent in a run makes runs in the same environment only", async () => {
    await run("send.event");
    const received = await until("both events have run", async () => {
      const runs = (await connection.runs()).filter(({ workflow }) => workflow.slug === "received");
      return runs.length === 2 && runs.every(({ status }) => status === "SUCCESS") ? runs : null;
    });
    const outputs = await Promise.all(received.map(async ({ id }) => (await connection.run(id)).output));
    expect(outputs).toEqual(expect.arrayContaining([{ by: "ctx" }, { by: "function" }]));
    const live = new Connection(router, "live");
    expect(await live.runs()).toEqual([]);
    live.close();
  });

  it("logger keeps all four levels in order, and equal lines both", async () => {
    const { tasks } = await run("logs");
    expect(tasks.map(({ level, message }) => [level, message])).toEqual([
      ["DEBUG", "a"],
      ["INFO", "b"],
      ["WARN", "c"],
      ["ERROR", "d"],
      ["INFO", "b"],
    ]);
  });

  it("a hosted integration is refused with the way to go", async () => {
    const { output } = await run("request");
    expect((output as { refusal: string }).refusal).toContain("ctx.fetch");
  });
});

describe("what a person can do", () => {
  const send = async (method: string, path: string, body?: unknown, headers?: Record<string, string>) => {
    const answered = await connection.send(method, path, body, headers);
    return { status: answered.status, body: answered.body === "" ? null : JSON.parse(answered.body) };
  };

  it("reruns a run, which names the old one", async () => {
    const first = await run("kv");
    const again = await send("POST", `/api/v1/runs/${first.id}/rerun`);
    expect(again).toMatchObject({ status: 201, body: { rerunOf: first.id, event: { id: first.event.id } } });
    expect(await connection.runWith(again.body.id, "SUCCESS")).toMatchObject({ attempts: 1 });
  });

  it("cancels a run, and what its host goes on to say changes nothing", async () => {
    const id = await sendForOneRun(connection, "wait.for", {});
    await connection.runWith(id, "RUNNING");
    expect(await send("POST", `/api/v1/runs/${id}/cancel`)).toMatchObject({
      status: 200,
      body: { status: "CANCELED" },
    });
    await run("wait.for");
    expect(await connection.run(id)).toMatchObject({ status: "CANCELED" });
    expect(await send("POST", `/api/v1/runs/${(await run("kv")).id}/cancel`)).toMatchObject({ status: 409 });
  });

  it("waits for the outputs of an event's runs, or learns that they have not ended", async () => {
    const event = (name: string) => ({ event: { name, payload: {} } });
    expect(await send("POST", "/api/v1/events", event("kv"), { prefer: "wait=20" })).toMatchObject({
      status: 200,
      body: { runs: [{ workflow: "kv", status: "SUCCESS", output: { after: "nothing" } }] },
    });
    expect(await send("POST", "/api/v1/events", event("wait.for"), { prefer: "wait=0" })).toMatchObject({
      status: 202,
      body: { runs: [{ workflow: "wait.for" }] },
    });
  });

  it("pauses a workflow, whose runs wait until it is resumed", async () => {
    expect(await send("POST", "/api/v1/workflows/logs/pause")).toEqual({
      status: 200,
      body: { slug: "logs", paused: true },
    });
    const id = await sendForOneRun(connection, "logs", {});
    await run("kv");
    expect(await connection.run(id)).toMatchObject({ status: "PENDING" });
    await send("POST", "/api/v1/workflows/logs/resume");
    await connection.runWith(id, "SUCCESS");
  });

  it("learns which workflows an event would start, and makes nothing", async () => {
    const before = (await connection.runs()).length;
    expect(await send("POST", "/api/v1/events?dryRun=1", { event: { name: "kv", payload: {} } })).toEqual({
      status: 200,
      body: { dryRun: true, workflows: [{ workflow: "kv", matches: true, paused: false }] },
    });
    expect(await connection.runs()).toHaveLength(before);
  });

  it("cannot deregister a workflow that is served", async () => {
    expect(await send("DELETE", "/api/v1/workflows/kv")).toMatchObject({ status: 409 });
  });
});
