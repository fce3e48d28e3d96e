// A request to a source's URL: answered as a handshake, refused, or stored as a delivery.
//
// Promise 3 begins here: a delivery is verified over its raw bytes before anything of it is stored, and answered with 2xx
// when one commit holds both the delivery and what is owed to every environment. One that the provider sends again
// within 7 days is answered with the first one's id and not routed again; under the same id with another body it is kept,
// marked, and not routed. Tests: tests/workerd/webhook-receive.test.ts.

import type { SourceAnswer, SourceRequest } from "../../../shared/contracts/webhook-source.ts";
import { deliveryId } from "../../../shared/ids/source-ids.ts";
import { contentDigest } from "../../../shared/kernel/canonical-json.ts";
import { parseBody } from "../body.ts";
import { contextHeaders } from "../context-headers.ts";
import { handshakeByBody, handshakeByQuery } from "../handshakes.ts";
import { deliveryIdOf, nameEvent } from "../naming.ts";
import { describeRefusal, verify } from "../verify.ts";
import type { SourceContext } from "./context.ts";
import { firstCopies } from "./copies.ts";
import { findByProviderId, insertDelivery, type NewDelivery } from "./deliveries.ts";

/** `stored` is the number of a delivery that is to be handed over. */
export interface Received {
  readonly answer: SourceAnswer;
  readonly stored?: number;
}

export async function receive(context: SourceContext, request: SourceRequest): Promise<Received> {
  const { source } = context;
  const secrets = await context.secrets();
  const asked = await handshakeByQuery(source.handshake, secrets, request);
  if (asked !== null) return { answer: { outcome: "handshake", answer: asked } };
  if (request.method !== "POST") return { answer: { outcome: "wrong method" } };

  const headers = new Headers(request.headers.map(([name, value]) => [name, value]));
  const { rawBody } = request;
  const verified = await verify(source.verification, secrets, { headers, rawBody }, context.now());
  if (!verified.ok) {
    return { answer: { outcome: "refused", status: verified.status, message: describeRefusal(verified.refusal) } };
  }
  const contentType = headers.get("content-type");
  const body = parseBody(contentType, rawBody);
  const handshake = handshakeByBody(source.handshake, body);
  if (handshake !== null) return { answer: { outcome: "handshake", answer: handshake } };

  const providerId = deliveryIdOf(source.service, source.verification, headers, body);
  const delivery = {
    providerId: providerId === null ? null : await contentDigest(providerId),
    digest: await digestOf(rawBody),
    name: nameEvent(source.naming, headers, body),
    headers: contextHeaders(headers, source.verification),
    contentType,
    rawBody,
  };
  return store(context, delivery);
}

/** Without a wait between looking for a duplicate and storing, so that two of one id at once are one. */
function store(context: SourceContext, delivery: Omit<NewDelivery, "id">): Received {
  const { sql, source } = context;
  const first = delivery.providerId === null ? null : findByProviderId(sql, delivery.providerId);
  if (first !== null && sameBytes(new Uint8Array(first.digest), delivery.digest)) {
    return { answer: { outcome: "accepted", id: deliveryId(source.name, first.id), repeated: true } };
  }
  const id = context.nextNumber();
  if (first !== null) {
    insertDelivery(sql, { ...delivery, id }, { conflictsWith: first.id });
    const conflictsWith = deliveryId(source.name, first.id);
    return { answer: { outcome: "kept apart", id: deliveryId(source.name, id), conflictsWith } };
  }
  insertDelivery(sql, { ...delivery, id }, { copies: firstCopies(source.environments, context.now()) });
  return { answer: { outcome: "accepted", id: deliveryId(source.name, id), repeated: false }, stored: id };
}

async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).slice(0, 16);
}

/** Digests of what was received: no secret depends on how long it takes. */
function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
