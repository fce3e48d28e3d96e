// Logs its payload, as a message and as a property.
import { customEvent, Trigger } from "@trigger.dev/sdk";
import { z } from "zod";

new Trigger({
  id: "logs",
  name: "Logs",
  on: customEvent({ name: "log.this", schema: z.object({ text: z.string() }) }),
  run: async ({ text }, ctx) => {
    await ctx.logger.warn(text, { text });
  },
}).listen();
