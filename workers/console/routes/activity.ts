// What goes on in an environment, for its members: workflows, events, runs, live hosts. Read from the environment's object, which
// is the whole truth about it; nothing of this is in Postgres.
import type { OpenAPIHono } from "@hono/zod-openapi";
import { z } from "zod";
import { listOf, PageQuery } from "../../../shared/api/pages.ts";
import { ListedRuns, runsQueryOf } from "../../../shared/api/run-pages.ts";
import { RUN_STATUSES } from "../../../shared/api/runs.ts";
import { MEMBER } from "../../../shared/contracts/environment.ts";
import { failure } from "../../../shared/kernel/answers.ts";
import { NAME_MAX_CHARS } from "../../../shared/kernel/limits.ts";
import { TRIGGER_KINDS } from "../../../shared/wire/reference/triggers.ts";
import {
  eventsThroughHistory,
  eventThroughHistory,
  runsThroughHistory,
  runThroughHistory,
} from "../../reading/read-through.ts";
import { comesFromOurPage } from "../access/same-origin.ts";
import { callEnvironment } from "../call-environment.ts";
import { fromElsewhere, notFound, unprocessable } from "../refusals.ts";
import { type ConsoleEnv, json, route } from "./route.ts";

const env = z.object({ org: z.string(), env: z.string() });

// The fields that are always there. What is answered is what `GET /api/v1/runs` and `/api/v1/workflows` answer with a key.
const Workflow = z.object({ slug: z.string(), name: z.string(), paused: z.boolean() }).meta({ id: "Workflow" });
const RunSummary = z
  .object({ id: z.string(), status: z.enum(RUN_STATUSES), createdAt: z.string(), attempts: z.number() })
  .meta({ id: "RunSummary" });
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
const Host = z
  .object({ workflow: z.string(), connectedAt: z.string(), keyId: z.string(), running: z.number() })
  .meta({ id: "Host" });

const ActivityAnswer = z
  .object({
    hosts: z.number(),
    workflows: z.number(),
    hasRuns: z.boolean(),
    from: z.string().meta({ description: "From when on is counted: an hour ago, or later if there was too much." }),
    minutes: z.array(
      z.object({
        at: z.string(),
        events: z.number(),
        runs: z.number(),
        failures: z.number(),
        p50Ms: z.number().nullable(),
        p95Ms: z.number().nullable(),
      }),
    ),
    attention: z.array(
      z.object({
        kind: z.enum(["no host", "failing", "refused"]),
        workflow: z.string(),
        runs: z.number(),
        message: z.string().optional(),
      }),
    ),
  })
  .meta({ id: "Activity" });

const EventsQuery = PageQuery.extend({
  name: z.string().max(NAME_MAX_CHARS).optional(),
  kind: z.enum(TRIGGER_KINDS, `kind is one of ${TRIGGER_KINDS.join(", ")}`).optional(),
});

const workflows = route("GET /api/v1/organizations/{org}/environments/{env}/workflows", {
  summary: "List workflows and who serves them",
  request: { params: env, query: PageQuery },
  responses: { 200: json("By slug.", listOf(Workflow)) },
});
const runs = route("GET /api/v1/organizations/{org}/environments/{env}/runs", {
  summary: "List runs",
  request: { params: env, query: ListedRuns },
  responses: { 200: json("The newest first.", listOf(RunSummary)) },
});
const run = route("GET /api/v1/organizations/{org}/environments/{env}/runs/{run}", {
  summary: "Show a run with its event, steps and output",
  request: { params: z.object({ org: z.string(), env: z.string(), run: z.string() }) },
  // Passed on as the text that the object makes: a payload may be nested deeper than it can be parsed here.
  responses: { 200: { description: "The run, as `GET /api/v1/runs/:id` answers it." } },
});
const events = route("GET /api/v1/organizations/{org}/environments/{env}/events", {
  summary: "List events",
  request: { params: env, query: EventsQuery },
  responses: { 200: json("The newest first.", listOf(EventSummary)) },
});
const event = route("GET /api/v1/organizations/{org}/environments/{env}/events/{event}", {
  summary: "Show an event with its payload, its runs, and what stopped the other workflows",
  request: { params: z.object({ org: z.string(), env: z.string(), event: z.string() }) },
  responses: { 200: { description: "The event, as `GET /api/v1/events/:id` answers it." } },
});
const hosts = route("GET /api/v1/organizations/{org}/environments/{env}/hosts", {
  summary: "List the hosts that are connected and serve a workflow; `limit` counts workflows",
  request: { params: env, query: PageQuery },
  responses: { 200: json("By workflow.", listOf(Host)) },
});

const activity = route("GET /api/v1/organizations/{org}/environments/{env}/activity", {
  summary: "The last hour in numbers, and what needs attention",
  request: { params: env },
  responses: { 200: json("Some seconds old at most.", ActivityAnswer) },
});
const watch = route("GET /api/v1/organizations/{org}/environments/{env}/watch", {
  summary: "A WebSocket that says when something has changed; closed after 5 minutes, to be opened again",
  request: { params: env },
  responses: { 101: { description: 'Each frame is `{"type":"changed"}`.' } },
});

export function activityRoutes(app: OpenAPIHono<ConsoleEnv>): void {
  app.openapi(workflows, async (c) => {
    const { limit, cursor = null } = c.req.valid("query");
    const page = await callEnvironment(c.var, (environment) => environment.listWorkflows(MEMBER, { limit, cursor }));
    return c.json({ data: page.data.map((each) => ({ ...each })), next: page.next }, 200);
  });

  app.openapi(runs, async (c) => {
    const { workflow, ...given } = c.req.valid("query");
    const query = runsQueryOf(given);
    const slice = await callEnvironment(c.var, (environment) =>
      workflow === undefined
        ? environment.listRuns(MEMBER, query)
        : environment.listWorkflowRuns(MEMBER, workflow, query),
    );
    if (slice === "no such cursor") throw unprocessable("cursor", "give what a page had as next");
    if (slice === "no such workflow") return c.json({ data: [], next: null }, 200);
    const page = await runsThroughHistory(c.var.environment.id, slice, query, workflow ?? null);
    return c.json({ data: page.data.map((each) => ({ ...each })), next: page.next }, 200);
  });

  app.openapi(run, async (c) => {
    const { run: id } = c.req.valid("param");
    const found = await callEnvironment(c.var, (environment) => environment.getRun(MEMBER, id));
    const json = await runThroughHistory(c.var.environment.id, id, found);
    if (json === null) throw notFound("run");
    return c.body(json, 200, { "Content-Type": "application/json" });
  });

  app.openapi(events, async (c) => {
    const { limit, cursor = null, name = null, kind = null } = c.req.valid("query");
    const query = { limit, cursor, name, kind };
    const slice = await callEnvironment(c.var, (environment) => environment.listEvents(MEMBER, query));
    if (slice === "no such cursor") throw unprocessable("cursor", "give what a page had as next");
    const page = await eventsThroughHistory(c.var.environment.id, slice, query);
    return c.json({ data: page.data.map((each) => ({ ...each })), next: page.next }, 200);
  });

  app.openapi(event, async (c) => {
    const { event: id } = c.req.valid("param");
    const found = await callEnvironment(c.var, (environment) => environment.getEvent(MEMBER, id));
    const json = await eventThroughHistory(c.var.environment.id, id, found);
    if (json === null) throw notFound("event");
    return c.body(json, 200, { "Content-Type": "application/json" });
  });

  app.openapi(activity, async (c) => {
    const { minutes, attention, ...rest } = await callEnvironment(c.var, (each) => each.readActivity(MEMBER));
    return c.json({ ...rest, minutes: [...minutes], attention: [...attention] }, 200);
  });

  app.openapi(watch, async (c) => {
    const { caller, environment, world } = c.var;
    if (c.req.header("upgrade")?.toLowerCase() !== "websocket") {
      return failure(426, "This is the address for pages that watch. Connect with a WebSocket.");
    }
    // A browser lets any page open a socket, with the cookies of the address it goes to.
    if (caller.kind === "person" && caller.via === "session" && !comesFromOurPage(c.req.raw)) throw fromElsewhere();
    return world.objects.watch(environment.id);
  });

  app.openapi(hosts, async (c) => {
    const { limit, cursor = null } = c.req.valid("query");
    const page = await callEnvironment(c.var, (environment) => environment.listWorkflows(MEMBER, { limit, cursor }));
    const data = page.data.flatMap(({ slug, hosts }) => hosts.map((host) => ({ workflow: slug, ...host })));
    return c.json({ data, next: page.next }, 200);
  });
}
