// Every method of the client's context, in one workflow each. The output of a workflow holds its findings.
import { customEvent, fetch, getTriggerRun, secureString, sendEvent, Trigger } from "@trigger.dev/sdk";
import { z } from "zod";

const { TARGET_URL = "" } = process.env;

function workflow(id: string, run: ConstructorParameters<typeof Trigger>[0]["run"]): void {
  new Trigger({ id, name: id, on: customEvent({ name: id, schema: z.any() }), run }).listen();
}

workflow("wait.for", async (_event, ctx) => {
  const began = Date.now();
  await ctx.waitFor("short", { seconds: 1 });
  return { waitedMs: Date.now() - began };
});
workflow("wait.until", async (_event, ctx) => {
  const began = Date.now();
  await ctx.waitUntil("passed", new Date(began - 60_000));
  await ctx.waitUntil("soon", new Date(began + 1_000));
  return { waitedMs: Date.now() - began };
});
workflow("fetch.json", async (_event, ctx) => {
  const sent = {
    method: "POST" as const,
    body: { a: 1 },
    headers: { authorization: secureString`Bearer ${"s3cret"}` },
  };
  const inContext = await ctx.fetch("context", `${TARGET_URL}/echo`, sent);
  const outside = await fetch("outside", `${TARGET_URL}/text`, { method: "GET" });
  return { inContext: inContext.body, outside: [outside.status, outside.ok, outside.body] };
});
workflow("fetch.retry", async (_event, ctx) => {
  const retry = { minTimeout: 100, maxTimeout: 200, factor: 1, maxAttempts: 3 };
  const later = await ctx.fetch("later", `${TARGET_URL}/twice-503`, {
    method: "GET",
    retry: { enabled: true, statusCodes: [503], ...retry },
  });
  const missing = await ctx.fetch("missing", `${TARGET_URL}/404`, { method: "GET" });
  const never = await ctx
    .fetch("never", `${TARGET_URL}/503`, { method: "GET", retry: { enabled: true, statusCodes: [503], ...retry } })
    .catch((error: { status?: number }) => ({ rejectedWith: error.status }));
  const refused = await ctx
    .fetch("refused", "ftp://example.com/", { method: "GET" })
    .catch((error: { name?: string }) => ({ rejectedWith: error.name }));
  return { later: later.status, missing: [missing.status, missing.ok], never, refused };
});
workflow("run.once", async (_event, ctx) => {
  const object = await ctx.runOnce("object", async (idempotencyKey) => ({ idempotencyKey }));
  const nothing = await ctx.runOnce("nothing", async () => 0);
  const local = await ctx.runOnceLocalOnly("local", async (idempotencyKey) => idempotencyKey);
  return { object, nothing, local, run: ctx.id };
});
workflow("kv", async (_event, ctx) => {
  const before = await ctx.kv.get("count");
  await ctx.kv.set("count", { n: 1 });
  await ctx.globalKv.set("shared", [1, null, "x"]);
  await ctx.runKv.set("mine", false);
  const seen = [await ctx.kv.get("count"), await ctx.globalKv.get("shared"), await ctx.runKv.get("mine")];
  await ctx.kv.delete("count");
  return { before: before ?? "nothing", seen, after: (await ctx.kv.get("count")) ?? "nothing" };
});
workflow("send.event", async (_event, ctx) => {
  await ctx.sendEvent("by the context", { name: "received", payload: { by: "ctx" } });
  await sendEvent("by the function", { name: "received", payload: { by: "function" } });
});
workflow("received", async (event) => event);
workflow("logs", async (_event, ctx) => {
  await ctx.logger.debug("a");
  await ctx.logger.info("b", { n: 1 });
  await ctx.logger.warn("c");
  await ctx.logger.error("d");
  await ctx.logger.info("b", { n: 1 });
});
workflow("request", async () => {
  const run = getTriggerRun();
  const refusal = await run
    ?.performRequest("post", { service: "slack", endpoint: "chat.postMessage", params: {}, version: "1" })
    .catch((error: { message?: string }) => error.message);
  return { refusal };
});
