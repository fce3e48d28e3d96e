// The sample from the reference page that sends an event, in a process of its own.
import { sendEvent } from "@trigger.dev/sdk";
import { randomUUID } from "node:crypto";

// Send a custom event to the "basic.starter" workflow
// This will only trigger the workflow corresponding to the TRIGGER_API_KEY environment variable
await sendEvent(randomUUID(), {
  name: "basic.starter",
  payload: { id: "user_1234" },
});
