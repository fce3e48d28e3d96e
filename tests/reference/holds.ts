// A workflow that runs until the file named by its payload exists.
import { existsSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { customEvent, Trigger } from "@trigger.dev/sdk";
import { z } from "zod";

new Trigger({
  id: "holds",
  name: "Holds",
  on: customEvent({ name: "holds.go", schema: z.object({ until: z.string() }) }),
  run: async ({ until }, ctx) => {
    while (!existsSync(until)) await delay(50);
    await ctx.logger.info("released");
    return { pid: process.pid };
  },
}).listen();
