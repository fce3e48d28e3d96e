// Steps with memory: every later attempt gets the first result.
import { afterEach, describe, expect, it } from "vitest";
import { clockOffset, setClockOffset } from "../../shared/kernel/clock.ts";
import { getJson, makeEnvironment, post, TestHost } from "./support.ts";

afterEach(() => setClockOffset(0));

async function runningHost(name = "w") {
  const environment = await makeEnvironment("live");
  const host = await TestHost.listening(environment.key, name, "go");
  await post(environment.key, "/api/v1/events", { event: { name: "go", payload: {} } });
  const { id } = await host.offer();
  await host.start(id);
  return { environment, host, id };
}

const advance = async (environment: { stub: { clockMoved(): Promise<void> } }, ms: number) => {
  setClockOffset(clockOffset() + ms);
  await environment.stub.clockMoved();
};

describe("a delay in a run", () => {
  it("ends when its time has come, and leaves room on the host meanwhile", async () => {
    const { environment, host, id } = await runningHost();
    expect(await host.call("INITIALIZE_DELAY", { runId: id, key: "d", wait: { type: "DELAY", hours: 1 } })).toBe(true);
    expect(await getJson(environment.key, `/api/v1/runs/${id}`)).toMatchObject({
      status: "RUNNING",
      tasks: [{ type: "DURABLE_DELAY", status: "PENDING" }],
    });
    expect(await getJson(environment.key, "/api/v1/workflows")).toMatchObject({ data: [{ hosts: [{ running: 0 }] }] });
    await advance(environment, 3_600_000);
    const resolved = await host.until((m) => m.methodName === "RESOLVE_DELAY");
    expect(resolved.data).toMatchObject({ key: "d", meta: { runId: id } });
    expect(await host.complete(id, "done")).toBe(true);
    expect(await getJson(environment.key, `/api/v1/runs/${id}`)).toMatchObject({
      status: "SUCCESS",
      tasks: [{ type: "DURABLE_DELAY", status: "SUCCESS" }],
    });
  });

  it("keeps its first due time when the host is lost, and answers the next host", async () => {
    const { environment, host, id } = await runningHost();
    await host.call("INITIALIZE_DELAY", { runId: id, key: "d", wait: { type: "DELAY", hours: 1 } });
    host.socket.close(1000, "bye");
    const other = await TestHost.listening(environment.key, "w", "go");
    const again = await other.offer();
    expect(again).toMatchObject({ id, meta: { attempt: 1 } });
    await other.start(id);
    await advance(environment, 1_800_000);
    await other.call("INITIALIZE_DELAY", { runId: id, key: "d", wait: { type: "DELAY", hours: 1 } });
    await advance(environment, 1_800_000);
    await other.until((m) => m.methodName === "RESOLVE_DELAY");
    expect(await other.complete(id, 1)).toBe(true);
  });
});

describe("runOnce and key-value items", () => {
  it("return the stored result to a later attempt", async () => {
    const { environment, host, id } = await runningHost();
    await host.call("INITIALIZE_RUN_ONCE", { runId: id, key: "once", runOnce: { type: "REMOTE" } });
    const first = await host.until((m) => m.methodName === "RESOLVE_RUN_ONCE");
    expect(first.data).toMatchObject({ key: "once", output: { hasRun: false } });
    const { idempotencyKey } = first.data.output as { idempotencyKey: string };
    await host.call("COMPLETE_RUN_ONCE", {
      runId: id,
      key: "once",
      runOnce: { type: "REMOTE", idempotencyKey, output: '{"n":1}' },
    });
    await host.call("SEND_KV_SET", { runId: id, key: "set:a", set: { namespace: "workflow:w", key: "a", value: [1] } });
    await host.until((m) => m.methodName === "RESOLVE_KV_SET");
    await host.call("SEND_KV_GET", { runId: id, key: "get:a", get: { namespace: "workflow:w", key: "a" } });
    expect((await host.until((m) => m.methodName === "RESOLVE_KV_GET")).data).toMatchObject({ output: [1] });
    host.socket.close(1000, "bye");

    const other = await TestHost.listening(environment.key, "w", "go");
    await other.offer();
    await other.start(id);
    await other.call("INITIALIZE_RUN_ONCE", { runId: id, key: "once", runOnce: { type: "REMOTE" } });
    expect((await other.until((m) => m.methodName === "RESOLVE_RUN_ONCE")).data).toMatchObject({
      output: { hasRun: true, idempotencyKey, output: { n: 1 } },
    });
    await other.call("SEND_KV_GET", { runId: id, key: "get:none", get: { namespace: "workflow:w", key: "none" } });
    expect((await other.until((m) => m.methodName === "RESOLVE_KV_GET")).data).not.toHaveProperty("output");
  });
});
