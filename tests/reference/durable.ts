// A workflow that uses everything a run can lose, in several rounds: a callback that must happen once, a delay, a fetch,
// an item.
import { randomUUID } from "node:crypto";
import { appendFileSync } from "node:fs";
import { customEvent, Trigger } from "@trigger.dev/sdk";
import { z } from "zod";

const { EFFECTS_FILE = "", TARGET_URL = "" } = process.env;

new Trigger({
  id: "durable",
  name: "Durable",
  on: customEvent({ name: "durable.go", schema: z.object({ n: z.number(), rounds: z.number() }) }),
  run: async ({ n, rounds }, ctx) => {
    const done = [];
    for (let round = 0; round < rounds; round++) {
      const effect = await ctx.runOnce(`effect ${round}`, async () => {
        const mark = randomUUID();
        appendFileSync(EFFECTS_FILE, `${ctx.id} ${round} ${mark}\n`);
        return { mark, at: Date.now() };
      });
      await ctx.waitFor(`a second ${round}`, { seconds: 1 });
      const waited = await ctx.runOnce(`waited ${round}`, async () => ({ ms: Date.now() - effect.at }));
      const { body } = await ctx.fetch(`target ${round}`, `${TARGET_URL}/${n}/${round}`, {
        method: "GET",
        responseSchema: z.object({ path: z.string() }),
      });
      await ctx.runKv.set(`round ${round}`, `${n} ${round}`);
      const kept = await ctx.runKv.get(`round ${round}`);
      done.push({ mark: effect.mark, waitedMs: waited.ms, fetched: body?.path, kept });
    }
    await ctx.logger.info("done", { n });
    return done;
  },
}).listen();
