// Returns the payload of its event.
import { customEvent, Trigger } from "@trigger.dev/sdk";
import { z } from "zod";

new Trigger({
  id: "echo",
  name: "Echo",
  on: customEvent({ name: "echo.this", schema: z.any() }),
  run: async (payload) => payload,
}).listen();
