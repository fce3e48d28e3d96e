// The reference client itself, unmodified. It does not say when the router has recorded a completion; the run's end is
// taken for it, which is a round trip too early.
import { createRequire } from "node:module";
import { completed, handling, ready } from "./host.ts";

// Its ES module build leaves out what it needs of CommonJS.
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
