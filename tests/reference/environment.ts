// The sample from the reference page that logs its environment. The literal `apiKey` of the page is left out: the key
// is of another deployment, and the page itself says to use TRIGGER_API_KEY instead.
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
