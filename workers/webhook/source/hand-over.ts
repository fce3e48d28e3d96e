// A stored delivery is handed to its environments: each copy by a call of its own, which may be repeated, since the event's
// id makes it one. An environment that fails or does not answer holds up no other. Tests: tests/workerd/webhook-hand-over.test.ts.
import type { Delivery, DeliveryOutcome } from "../../../shared/environment-rpc.ts";
import { sequenceTime } from "../../../shared/ids.ts";
import { HAND_OVER_WITHIN_MS } from "../../../shared/limits.ts";
import { errorName, log } from "../../../shared/log.ts";
import { deliveryEventId, deliveryId } from "../../../shared/source-ids.ts";
import type { Copy } from "../../../shared/webhook-rpc.ts";
import { parseBody } from "../body.ts";
import type { SourceContext } from "./context.ts";
import { afterTry, dueCopies, withTried } from "./copies.ts";
import { copiesOf, type DeliveryContent, readContent, readRow, writeCopies } from "./deliveries.ts";

/** Tries every copy of the delivery that is due, all at once, and stores what came of it when the last has answered. */
export async function handOver(context: SourceContext, id: number): Promise<void> {
  const content = readContent(context.sql, id);
  if (content === null) return;
  const due = dueCopies(copiesOf(content), context.now());
  if (due.length === 0) return;
  const delivery = deliveryOf(context, content);
  const tried = await Promise.all(
    due.map(async (copy) => {
      const outcome = await tryOnce(context, copy, delivery);
      return afterTry(copy, outcome, context.now(), context.random());
    }),
  );
  // Read again: a redelivery may have added copies meanwhile, and the source may have been removed.
  const row = readRow(context.sql, id);
  if (row !== null) writeCopies(context.sql, id, withTried(copiesOf(row), tried));
}

async function tryOnce(context: SourceContext, copy: Copy, delivery: Delivery): Promise<DeliveryOutcome["outcome"]> {
  const { service } = context.source;
  const id = deliveryEventId(delivery.event.id, copy.number);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DOMException("no answer in time", "TimeoutError")), HAND_OVER_WITHIN_MS);
  });
  try {
    const given = context.give(copy.environment.id, { ...delivery, event: { ...delivery.event, id } });
    return (await Promise.race([given, late])).outcome;
  } catch (error) {
    log("warn", "delivery not handed over", { service, environment: copy.environment.id, name: errorName(error) });
    return "failed";
  } finally {
    clearTimeout(timer);
  }
}

/** What an environment gets: the same at every try, so that it is one event. */
function deliveryOf({ source }: SourceContext, content: DeliveryContent): Delivery {
  return {
    service: source.service,
    name: content.name,
    event: {
      id: deliveryId(source.name, content.id),
      payload: JSON.stringify(parseBody(content.content_type, new Uint8Array(content.raw_body))),
      context: `{"headers":${content.headers}}`,
      digest: new Uint8Array(content.digest),
    },
    receivedAt: sequenceTime(content.id),
  };
}
