// The service that Restate calls.
import * as restate from "@restatedev/restate-sdk";
import { completed, handling, ready } from "./host.ts";

const bench = restate.service({
  name: "bench",
  handlers: {
    handle: async (_ctx: restate.Context, { n }: { n: number }) => {
      handling(n);
      setImmediate(() => completed(n));
      return 1;
    },
  },
});
await restate.serve({ services: [bench], port: Number(process.env.PORT), logger: () => {} });
ready();
