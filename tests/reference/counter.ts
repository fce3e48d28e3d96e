// Leaves a line in the file COUNTER_FILE whenever its code runs, so that a test sees how often it did and where:
// `<run id> <process id>`. One write of one line, before anything is awaited: it is there or it is not.
// With COUNTER_KEEPS=n the first n runs never finish here, so whoever kills the process does it in the middle of them.
import { appendFileSync } from "node:fs";
import { customEvent, Trigger } from "@trigger.dev/sdk";
import { z } from "zod";

const file = process.env.COUNTER_FILE ?? "";
let keeps = Number(process.env.COUNTER_KEEPS ?? 0);

new Trigger({
  id: "counter",
  name: "Counter",
  on: customEvent({ name: "count.this", schema: z.object({ n: z.number() }) }),
  run: async ({ n }, ctx) => {
    appendFileSync(file, `${ctx.id} ${process.pid}\n`);
    if (keeps-- > 0) await new Promise(() => {});
    await ctx.logger.info("counted", { n });
    return { n };
  },
}).listen();
