// Appends a line to the file COUNTER_FILE whenever its code runs, so that a test sees how often it ran and where: `<run
// id> <process id>`. The line is one write before the first await: it is complete or missing. With COUNTER_KEEPS=n the
// first n runs never finish here, so a test that kills the process does so in the middle of them.
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
