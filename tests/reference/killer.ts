// A workflow that kills its own process if the event asks for it, beside one that does not.
import { customEvent, Trigger } from "@trigger.dev/sdk";
import { z } from "zod";

new Trigger({
  id: "killer",
  name: "Killer",
  on: customEvent({ name: "killer.go", schema: z.object({ kill: z.boolean() }) }),
  run: async ({ kill }, ctx) => {
    await ctx.logger.info("about to go on");
    if (kill) process.kill(process.pid, "SIGKILL");
    await ctx.waitFor("a moment", { seconds: 1 });
    return { survived: true };
  },
}).listen();
