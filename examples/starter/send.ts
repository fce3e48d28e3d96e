// Sends an event to the starter workflow. This program may run anywhere: the key alone decides which environment gets
// the event.
import { randomUUID } from "node:crypto";
import { sendEvent } from "@trigger.dev/sdk";

await sendEvent(randomUUID(), {
  name: "basic.starter",
  payload: { id: "user_1234" },
});

console.log("The event was accepted.");
