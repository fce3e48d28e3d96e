// Costs: rows written are most of the bill, so this file holds their number. An index entry is a row of its own, and so
// is setting an alarm.
import { describe, expect, it } from "vitest";
import { countRows } from "./count-rows.ts";
import { getJson, makeEnvironment, post, send, type TestEnvironment, TestHost } from "./support.ts";

async function scene(): Promise<{ live: TestEnvironment; host: TestHost; written: () => Promise<number> }> {
  const live = await makeEnvironment("live");
  const host = await TestHost.listening(live.key, "starter", "paid");
  return { live, host, written: await countRows(live) };
}

async function runOnce(live: TestEnvironment, host: TestHost, id: string): Promise<void> {
  await send(live.key, "paid", { amount: 5 }, id);
  const offer = await host.offer();
  expect([await host.start(offer.id), await host.complete(offer.id, { done: true })]).toEqual([true, true]);
}

describe("rows written", () => {
  it("amount to at most 4 for an event that becomes one completed run, its id included", async () => {
    const { live, host, written } = await scene();
    await runOnce(live, host, "e1");
    const first = await written();
    // Fewer could not be an event, its sender's id, a run and its end: the count would be broken.
    expect(first).toBe(4);
    for (let i = 2; i <= 10; i++) await runOnce(live, host, `e${i}`);
    expect(await written()).toBeLessThanOrEqual(40);
  });

  it("amount to none for a connection, a known registration, and all frames of an idle host", async () => {
    const { live, host, written } = await scene();
    const other = await TestHost.listening(live.key, "starter", "paid");
    await host.settled();
    host.socket.send("not JSON");
    host.socket.send(JSON.stringify({ type: "ACK", id: "x" }));
    host.send({ id: "nobody", kind: "RESPONSE", methodName: "TRIGGER_WORKFLOW", data: true });
    await host.settled();
    other.socket.close(1000);
    await other.closure();
    expect(await written()).toBe(0);
  });

  it("amount to none for reading", async () => {
    const { live, host, written } = await scene();
    await runOnce(live, host, "e1");
    const before = await written();
    const { data } = await getJson<{ data: { id: string }[] }>(live.key, "/api/v1/runs");
    for (const path of [`runs/${data[0]?.id}`, "runs?status=SUCCESS", "workflows", "workflows/starter/runs"])
      await getJson(live.key, `/api/v1/${path}`);
    expect(await written()).toBe(before);
  });

  it("amount to none for a repeated event, a conflict, and a refused key", async () => {
    const { live, host, written } = await scene();
    await runOnce(live, host, "e1");
    const before = await written();
    await send(live.key, "paid", { amount: 5 }, "e1");
    const conflict = await post(live.key, "/api/v1/events", { id: "e1", event: { name: "paid", payload: 6 } });
    expect(conflict.status).toBe(409);
    expect(await live.stub.postEvents("key_000000000", [])).toEqual({ ok: false, refused: "key" });
    expect(await written()).toBe(before);
  });

  it("amount to none for the offer of a run, its start, and the loss of a host that had not started it", async () => {
    const { live, host, written } = await scene();
    await send(live.key, "paid", {}, "e1");
    const before = await written();
    expect(before).toBeLessThanOrEqual(3);
    await host.until(({ methodName }) => methodName === "TRIGGER_WORKFLOW");
    host.socket.close(1000);
    await host.closure();
    const next = await TestHost.listening(live.key, "starter", "paid");
    const offer = await next.offer();
    expect(await next.start(offer.id)).toBe(true);
    expect(await written()).toBe(before);
  });

  it("amount to one for a log", async () => {
    const { live, host, written } = await scene();
    await send(live.key, "paid");
    const { id } = await host.offer();
    await host.start(id);
    const before = await written();
    for (let i = 0; i < 10; i++)
      await host.call("SEND_LOG", { runId: id, key: "k", log: { message: "k", level: "INFO" } });
    expect((await written()) - before).toBe(10);
  });
});
