// A workflow that uses everything a run can lose: a callback that must happen once, a delay, a fetch, an item.
import { randomUUID } from "node:crypto";
import { appendFileSync } from "node:fs";
import { customEvent, Trigger } from "@trigger.dev/sdk";
import { z } from "zod";

const { EFFECTS_FILE = "", TARGET_URL = "" } = process.env;

new Trigger({
  id: "durable",
  name: "Durable",
  on: customEvent({ name: "durable.go", schema: z.object({ n: z.number() }) }),
  run: async ({ n }, ctx) => {
    const begun = await ctx.runOnce("begin", async () => ({ at: Date.now() }));
    const effect = await ctx.runOnce("effect", async () => {
      const mark = randomUUID();
      appendFileSync(EFFECTS_FILE, `${ctx.id} ${mark}\n`);
      return { mark };
    });
    await ctx.waitFor("a second", { seconds: 1 });
    const waitedMs = Date.now() - begun.at;
    const { body } = await ctx.fetch("target", `${TARGET_URL}/${n}`, {
      method: "GET",
      responseSchema: z.object({ n: z.number() }),
    });
    await ctx.runKv.set("n", n);
    const kept = await ctx.runKv.get("n");
    await ctx.logger.info("done", { n });
    return { n, mark: effect.mark, waitedMs, fetched: body?.n, kept };
  },
}).listen();
