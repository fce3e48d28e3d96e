// The starter workflow: logs the environment it runs in, which is the environment of TRIGGER_API_KEY.
import { customEvent, Trigger } from "@trigger.dev/sdk";
import { z } from "zod";

new Trigger({
  id: "basic-starter",
  name: "Basic Starter",
  on: customEvent({
    name: "basic.starter",
    schema: z.object({ id: z.string() }),
  }),
  run: async (event, ctx) => {
    if (ctx.environment === "live") {
      await ctx.logger.info("This is the live environment");
    } else {
      await ctx.logger.info("This is the development environment");
    }
  },
}).listen();
