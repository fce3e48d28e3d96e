// The deliveries of a webhook source: list, show with the outcome in each environment, redeliver. For signed-in members
// only (promise 6): an API key sees the outcome in its own environment, as an event.
import type { OpenAPIHono } from "@hono/zod-openapi";
import { z } from "zod";
import type { EventDetails } from "../../../shared/api/events.ts";
import { listOf } from "../../../shared/api/pages.ts";
import {
  DeliveriesQuery,
  Delivery,
  DeliveryDetails,
  PostedRedeliveries,
  PostedRedelivery,
  Redelivered,
} from "../../../shared/api/sources.ts";
import { type EnvironmentCalls, MEMBER } from "../../../shared/contracts/environment.ts";
import type {
  Copy,
  DeliverySummary,
  Redelivered as Outcome,
  SourceDescription,
  DeliveryDetails as StoredDelivery,
} from "../../../shared/contracts/webhook-source.ts";
import { deliveryEventId } from "../../../shared/ids/source-ids.ts";
import { eventThroughHistory } from "../../reading/read-through.ts";
import { writeAudit } from "../audit.ts";
import { findSource } from "../call-source.ts";
import type { ConsoleServices } from "../control/ports.ts";
import { cursorNotFound } from "../keyset.ts";
import { notFound, unprocessable } from "../refusals.ts";
import { body, type ConsoleEnv, json, route } from "./route.ts";

const ofSource = z.object({ org: z.string(), source: z.string() });
const one = z.object({ org: z.string(), source: z.string(), delivery: z.string() });

const list = route("GET /api/v1/organizations/{org}/sources/{source}/deliveries", {
  summary: "List the deliveries of the last 7 days",
  request: { params: ofSource, query: DeliveriesQuery },
  responses: { 200: json("The newest first.", listOf(Delivery)) },
});
const show = route("GET /api/v1/organizations/{org}/sources/{source}/deliveries/{delivery}", {
  summary: "Show a delivery as it came, and what each environment made of it",
  request: { params: one },
  responses: { 200: json("The delivery.", DeliveryDetails) },
});
const redeliver = route("POST /api/v1/organizations/{org}/sources/{source}/deliveries/{delivery}/redeliver", {
  summary: "Redeliver a delivery; a copy that was parked goes as itself, any other is a new event",
  request: { params: one, body: body(PostedRedelivery) },
  responses: { 202: json("It is being handed over.", Redelivered) },
});
const redeliverMany = route("POST /api/v1/organizations/{org}/sources/{source}/redeliver", {
  summary: "Redeliver the deliveries of a status or a time, up to 500 at once",
  request: { params: ofSource, body: body(PostedRedeliveries) },
  responses: { 202: json("They are being handed over; with `next` there are more.", Redelivered) },
});

export function deliveryRoutes(app: OpenAPIHono<ConsoleEnv>): void {
  app.openapi(list, async (c) => {
    const { limit, cursor = null, status = null } = c.req.valid("query");
    const { call } = await findSource(c.var, c.req.valid("param").source);
    const page = await call((source) => source.listDeliveries({ limit, cursor, status }));
    if (page === "no such cursor") throw cursorNotFound();
    return c.json({ data: page.data.map(deliveryAnswer), next: page.next }, 200);
  });

  app.openapi(show, async (c) => {
    const { source, delivery } = c.req.valid("param");
    const { call } = await findSource(c.var, source);
    const stored = await call((object) => object.readDelivery(delivery));
    if (stored === null) throw notFound("delivery");
    return c.json(await detailsAnswer(c.var.services, stored), 200);
  });

  app.openapi(redeliver, async (c) => {
    const { source, delivery } = c.req.valid("param");
    const { environments } = c.req.valid("json");
    const { call, description } = await findSource(c.var, source);
    const slugs = knownSlugs(description, environments);
    const redelivered = await call((object) => object.redeliver({ id: delivery }, slugs));
    if (redelivered === null) throw notFound("delivery");
    await writeAudit(c.var, "delivery.redeliver", delivery);
    return c.json(redeliveredAnswer(redelivered), 202);
  });

  app.openapi(redeliverMany, async (c) => {
    const { environments, status = null, from, until, cursor = null } = c.req.valid("json");
    const { call, description } = await findSource(c.var, c.req.valid("param").source);
    const choice = { status, from: timeOf(from), until: timeOf(until), cursor };
    const slugs = knownSlugs(description, environments);
    const redelivered = await call((object) => object.redeliver(choice, slugs));
    if (redelivered === null) throw notFound("source");
    await writeAudit(c.var, "delivery.redeliver", description.service);
    return c.json(redeliveredAnswer(redelivered), 202);
  });
}

function timeOf(text: string | undefined): number | null {
  return text === undefined ? null : Date.parse(text);
}

/** Null stands for all environments. Refuses the slug of an environment that the source does not deliver to. */
function knownSlugs(
  { environments }: SourceDescription,
  slugs: readonly string[] | undefined,
): readonly string[] | null {
  if (slugs === undefined) return null;
  const known = new Set(environments.map(({ slug }) => slug));
  const index = slugs.findIndex((slug) => !known.has(slug));
  if (index >= 0) throw unprocessable(`environments.${index}`, "the source does not deliver to this environment");
  return slugs;
}

function redeliveredAnswer({ ids, exhausted, next }: Outcome): z.infer<typeof Redelivered> {
  return { ids: [...ids], exhausted: [...exhausted], next };
}

function deliveryAnswer(delivery: DeliverySummary): Delivery {
  const { id, receivedAt, name, status, conflictsWith, copies } = delivery;
  const environments = lastCopies(copies).map((copy) => copyAnswer(id, copy));
  return { id, receivedAt: new Date(receivedAt).toISOString(), name, status, conflictsWith, environments };
}

async function detailsAnswer(services: ConsoleServices, delivery: StoredDelivery): Promise<DeliveryDetails> {
  const { id, headers, rawBody, copies } = delivery;
  const environments = await Promise.all(
    lastCopies(copies).map(async (copy) => {
      const earlier = copies
        .filter(({ environment, number }) => environment.id === copy.environment.id && number < copy.number)
        .map((each) => deliveryEventId(id, each.number));
      return { ...copyAnswer(id, copy), ...(await halfOf(services, copy, deliveryEventId(id, copy.number))), earlier };
    }),
  );
  return { ...deliveryAnswer(delivery), headers: { ...headers }, body: bodyAnswer(rawBody), environments };
}

type Half = Pick<DeliveryDetails["environments"][number], "runs" | "runCount" | "workflows" | "reached">;

/** The outcome in one environment. An environment that cannot be reached does not hide the others. */
async function halfOf(services: ConsoleServices, { environment, state }: Copy, event: string): Promise<Half> {
  const nothing = { runs: [], runCount: 0, workflows: null };
  if (state !== "accepted") return { ...nothing, reached: true };
  const read = (object: EnvironmentCalls) => object.getEvent(MEMBER, event);
  const answer = await services.objects.call(environment.id, read).catch(() => null);
  if (answer === null) return { ...nothing, reached: false };
  if (!answer.ok) return { ...nothing, reached: true };
  const json = await eventThroughHistory(environment.id, event, answer.value);
  if (json === null) return { ...nothing, reached: true };
  const { runs, runCount, workflows } = JSON.parse(json) as EventDetails;
  return { runs: [...runs], runCount, workflows: [...workflows], reached: true };
}

/** The newest copy of each environment, by slug. */
function lastCopies(copies: readonly Copy[]): Copy[] {
  const last = new Map(copies.map((copy) => [copy.environment.id, copy]));
  return [...last.values()].sort((a, b) => (a.environment.slug < b.environment.slug ? -1 : 1));
}

function copyAnswer(deliveryId: string, copy: Copy): Delivery["environments"][number] {
  const { environment, state, attempts, dueAt } = copy;
  const nextTryAt = dueAt === null ? null : new Date(dueAt).toISOString();
  return { environment: environment.slug, event: deliveryEventId(deliveryId, copy.number), state, attempts, nextTryAt };
}

function bodyAnswer(rawBody: Uint8Array): DeliveryDetails["body"] {
  try {
    return { text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(rawBody) };
  } catch {
    let binary = "";
    for (const byte of rawBody) binary += String.fromCharCode(byte);
    return { base64: btoa(binary) };
  }
}
