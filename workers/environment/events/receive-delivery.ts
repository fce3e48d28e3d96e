// A webhook delivery becomes an event of this environment, and runs of the workflows that listen to its service.
//
// The second half of promise 3 is kept here: a delivery that is handed over again under the same id gets the answer of the
// first time and makes no event. Tests: tests/workerd/receive-delivery.test.ts.
import type { Delivery, DeliveryOutcome } from "../../../shared/contracts/environment.ts";
import type { Turn } from "../state/commits.ts";
import type { EnvironmentContext } from "../state/context.ts";
import { receivesWebhooks } from "../storage/settings.ts";
import { acceptEvent } from "./accept-event.ts";

export function receiveDelivery(
  context: EnvironmentContext,
  turn: Turn,
  { service, name, event, receivedAt }: Delivery,
  now: number,
): DeliveryOutcome {
  if (!receivesWebhooks(context.sql)) return { outcome: "not received" };
  // People see every event with a name: an event without one is named after its service.
  const named = { ...event, name: name ?? service, timestamp: receivedAt, delay: null };
  const routing = { kind: "WEBHOOK", service, unnamed: name === null } as const;
  const accepted = acceptEvent(context, turn, named, routing, now);
  return accepted.outcome === "accepted" ? { outcome: "accepted", event: accepted.event } : accepted;
}
