// The events of an environment: list and show. The environment's object is their record; Postgres has only history.
import type { OpenAPIHono } from "@hono/zod-openapi";
import { z } from "zod";
import { listOf, PageQuery } from "../../../shared/api/pages.ts";
import { RUN_STATUSES } from "../../../shared/api/runs.ts";
import { MEMBER } from "../../../shared/contracts/environment.ts";
import { NAME_MAX_CHARS } from "../../../shared/kernel/limits.ts";
import { TRIGGER_KINDS } from "../../../shared/wire/reference/triggers.ts";
import { eventsThroughHistory, eventThroughHistory } from "../../reading/read-through.ts";
import { callEnvironment } from "../call-environment.ts";
import { cursorNotFound } from "../keyset.ts";
import { notFound } from "../refusals.ts";
import { type ConsoleEnv, json, route } from "./route.ts";

const env = z.object({ org: z.string(), env: z.string() });

const EventSummary = z
  .object({
    id: z.string(),
    name: z.string(),
    kind: z.enum(TRIGGER_KINDS),
    service: z.string(),
    isTest: z.boolean(),
    timestamp: z.string(),
    createdAt: z.string(),
    deliverAt: z.string().optional(),
    runs: z.array(z.object({ id: z.string(), workflow: z.string(), status: z.enum(RUN_STATUSES) })).readonly(),
    runCount: z.number(),
  })
  .meta({ id: "EventSummary" });

const EventsQuery = PageQuery.extend({
  name: z.string().max(NAME_MAX_CHARS).optional(),
  kind: z.enum(TRIGGER_KINDS, `kind is one of ${TRIGGER_KINDS.join(", ")}`).optional(),
});

const list = route("GET /api/v1/organizations/{org}/environments/{env}/events", {
  summary: "List events",
  request: { params: env, query: EventsQuery },
  responses: { 200: json("The newest first.", listOf(EventSummary)) },
});
const show = route("GET /api/v1/organizations/{org}/environments/{env}/events/{event}", {
  summary: "Show an event with its payload, its runs, and what stopped the other workflows",
  request: { params: z.object({ org: z.string(), env: z.string(), event: z.string() }) },
  responses: { 200: { description: "The event, as `GET /api/v1/events/:id` answers it." } },
});

export function eventRoutes(app: OpenAPIHono<ConsoleEnv>): void {
  app.openapi(list, async (c) => {
    const { limit, cursor = null, name = null, kind = null } = c.req.valid("query");
    const query = { limit, cursor, name, kind };
    const slice = await callEnvironment(c.var, (environment) => environment.listEvents(MEMBER, query));
    if (slice === "no such cursor") throw cursorNotFound();
    const page = await eventsThroughHistory(c.var.environment.id, slice, query);
    return c.json({ data: page.data.map((each) => ({ ...each })), next: page.next }, 200);
  });

  app.openapi(show, async (c) => {
    const { event: id } = c.req.valid("param");
    const found = await callEnvironment(c.var, (environment) => environment.getEvent(MEMBER, id));
    const json = await eventThroughHistory(c.var.environment.id, id, found);
    if (json === null) throw notFound("event");
    return c.body(json, 200, { "Content-Type": "application/json" });
  });
}
