// A workflow for a service that the reference client does not know: deliveries by Standard Webhooks.
import { Trigger, webhookEvent } from "@trigger.dev/sdk";
import { z } from "zod";

new Trigger({
  id: "invoices",
  name: "Invoices",
  on: webhookEvent({
    service: "standard-webhooks",
    eventName: "invoice.paid",
    schema: z.object({ type: z.string(), data: z.object({ id: z.string() }) }),
    verifyPayload: { enabled: true, header: "webhook-signature" },
  }),
  run: async ({ data }, ctx) => ({ environment: ctx.environment, invoice: data.id }),
}).listen();
