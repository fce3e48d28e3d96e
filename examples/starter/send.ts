// Sends an event to the starter workflow. It may run anywhere: only the key decides which environment gets it.
import { randomUUID } from "node:crypto";
import { sendEvent } from "@trigger.dev/sdk";

// Send a custom event to the "basic.starter" workflow
// This will only trigger the workflow corresponding to the TRIGGER_API_KEY environment variable
await sendEvent(randomUUID(), {
  name: "basic.starter",
  payload: { id: "user_1234" },
});

console.log("The event was accepted.");
