// A stored delivery is handed to its environments: each copy by a call of its own, which may be repeated, since the event's
// id makes it one. An environment that fails or does not answer holds up no other. Tests: tests/workerd/webhook-hand-over.test.ts.
import type { Delivery, DeliveryOutcome } from "../../../shared/contracts/environment.ts";
import type { Copy } from "../../../shared/contracts/webhook-source.ts";
import { sequenceTime } from "../../../shared/ids/ids.ts";
import { deliveryEventId, deliveryId } from "../../../shared/ids/source-ids.ts";
import { HAND_OVER_WITHIN_MS, OUTCOMES_GATHERED_MS } from "../../../shared/kernel/limits.ts";
import { errorName, log } from "../../../shared/kernel/log.ts";
import { parseBody } from "../body.ts";
import type { SourceContext } from "./context.ts";
import { afterTry, dueCopies, withTried } from "./copies.ts";
import { copiesOf, type DeliveryContent, readContent, readRow, readSized, writeCopies } from "./deliveries.ts";

/** Tries every copy of the delivery that is due, all at once. Resolves when what came of each is stored. */
export async function handOver(context: SourceContext, id: number): Promise<void> {
  const row = readSized(context.sql, id);
  if (row === null) return;
  const due = dueCopies(copiesOf(row), context.now());
  const tried: Copy[] = [];
  const all = Promise.all(
    due.map(async (copy) => {
      const outcome = await context
        .lane(copy.environment.id)
        .run(row.bytes, () => tryOnce(context, copy, id))
        .catch(() => "failed" as const);
      tried.push(afterTry(copy, outcome, context.now(), context.random()));
    }),
  );
  // One write for all that answer soon; who is late holds up nobody's.
  if (await isLate(all)) store(context, id, tried.splice(0));
  await all;
  store(context, id, tried);
}

/** Read again: a redelivery may have added copies meanwhile, and the source may have been removed. */
function store({ sql }: SourceContext, id: number, tried: readonly Copy[]): void {
  const row = tried.length === 0 ? null : readRow(sql, id);
  if (row !== null) writeCopies(sql, id, withTried(copiesOf(row), tried));
}

async function isLate(all: Promise<unknown>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<true>((resolve) => {
    timer = setTimeout(() => resolve(true), OUTCOMES_GATHERED_MS);
  });
  const isLate = await Promise.race([all.then(() => false), late]);
  clearTimeout(timer);
  return isLate;
}

async function tryOnce(context: SourceContext, copy: Copy, id: number): Promise<DeliveryOutcome["outcome"]> {
  const { service } = context.source;
  // Only now: what waits for its turn takes no memory.
  const content = readContent(context.sql, id);
  if (content === null) return "gone";
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DOMException("no answer in time", "TimeoutError")), HAND_OVER_WITHIN_MS);
  });
  try {
    const given = context.give(copy.environment.id, deliveryOf(context, content, copy));
    return (await Promise.race([given, late])).outcome;
  } catch (error) {
    log("warn", "delivery not handed over", { service, environment: copy.environment.id, name: errorName(error) });
    return "failed";
  } finally {
    clearTimeout(timer);
  }
}

/** What an environment gets: the same at every try, so that it is one event. */
function deliveryOf({ source }: SourceContext, content: DeliveryContent, { number }: Copy): Delivery {
  return {
    service: source.service,
    name: content.name,
    event: {
      id: deliveryEventId(deliveryId(source.name, content.id), number),
      payload: JSON.stringify(parseBody(content.content_type, new Uint8Array(content.raw_body))),
      context: `{"headers":${content.headers}}`,
      digest: new Uint8Array(content.digest),
    },
    receivedAt: sequenceTime(content.id),
  };
}
