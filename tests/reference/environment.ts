// The page's sample that logs its environment. The page's literal `apiKey` is left out: it is a key of another
// deployment, and the page itself says to use TRIGGER_API_KEY in its place.
import { Trigger, customEvent } from "@trigger.dev/sdk";
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
