// The reference client itself, unmodified. The client does not report when the router has recorded a completion; the
// benchmark takes the run's end for it, which is a round trip too early.
import { createRequire } from "node:module";
import { completed, handling, ready } from "./host.ts";

// The client's ES module build lacks parts that need CommonJS.
const { Trigger, customEvent } = createRequire(import.meta.url)("@trigger.dev/sdk");
const { z } = createRequire(createRequire(import.meta.url).resolve("@trigger.dev/sdk"))("zod");
const { EVENT = "bench.event" } = process.env;

new Trigger({
  id: EVENT,
  name: EVENT,
  logLevel: "disabled",
  on: customEvent({ name: EVENT, schema: z.object({ n: z.number() }) }),
  run: async ({ n }: { n: number }) => {
    handling(n);
    setImmediate(() => completed(n));
    return 1;
  },
}).listen();
ready();
