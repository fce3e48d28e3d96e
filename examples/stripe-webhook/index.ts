// Runs when a customer has paid. Stripe posts each event once, both environments get it, and this process serves the
// environment of TRIGGER_API_KEY.
import { Trigger, webhookEvent } from "@trigger.dev/sdk";
import { z } from "zod";

const PaymentIntentSucceeded = z.object({
  id: z.string(),
  type: z.literal("payment_intent.succeeded"),
  livemode: z.boolean(),
  data: z.object({
    object: z.object({ id: z.string(), amount: z.number().int(), currency: z.string() }),
  }),
});

new Trigger({
  id: "stripe-payments",
  name: "Stripe payments",
  on: webhookEvent({
    service: "stripe",
    eventName: "payment_intent.succeeded",
    schema: PaymentIntentSucceeded,
    // The source of this workflow demands a signature from its first delivery on.
    verifyPayload: { enabled: true, header: "Stripe-Signature" },
  }),
  run: async ({ data: { object: payment } }, ctx) => {
    await ctx.logger.info(
      `${payment.amount / 100} ${payment.currency} were paid by ${payment.id} (${ctx.environment})`,
    );
    return { environment: ctx.environment, payment: payment.id };
  },
}).listen();
