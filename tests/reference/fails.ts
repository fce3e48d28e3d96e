// Every way in which a run can fail in the user's code, one workflow each. Each error contains the text of its event.
import { customEvent, Trigger } from "@trigger.dev/sdk";
import { z } from "zod";

const schema = z.object({ text: z.string() });

class OrderError extends Error {
  override readonly name = "OrderError";
}

new Trigger({
  id: "throws-error",
  name: "Throws an Error",
  on: customEvent({ name: "throw.error", schema }),
  run: async ({ text }) => refuseOrder(text),
}).listen();

new Trigger({
  id: "throws-string",
  name: "Throws a string",
  on: customEvent({ name: "throw.string", schema }),
  run: async ({ text }) => {
    throw text;
  },
}).listen();

new Trigger({
  id: "throws-object",
  name: "Throws an object",
  on: customEvent({ name: "throw.object", schema }),
  run: async ({ text }) => {
    throw { name: "Declined", message: text, code: 51 };
  },
}).listen();

new Trigger({
  id: "throws-at-once",
  name: "Throws before it returns a promise",
  on: customEvent({ name: "throw.at-once", schema }),
  run: ({ text }) => {
    throw new Error(text);
  },
}).listen();

new Trigger({
  id: "has-a-schema",
  name: "Has a schema that the event does not fit",
  on: customEvent({ name: "break.schema", schema: z.object({ text: z.number() }) }),
  run: async () => "never reached",
}).listen();

function refuseOrder(text: string): never {
  throw new OrderError(text);
}
