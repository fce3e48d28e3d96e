// Activity of an environment: the last 60 minutes in numbers, and a socket that announces changes to open pages.
import type { OpenAPIHono } from "@hono/zod-openapi";
import { z } from "zod";
import { MEMBER } from "../../../shared/contracts/environment.ts";
import { failure } from "../../../shared/kernel/answers.ts";
import { comesFromOurPage } from "../access/same-origin.ts";
import { callEnvironment } from "../call-environment.ts";
import { fromElsewhere } from "../refusals.ts";
import { type ConsoleEnv, json, route } from "./route.ts";

const env = z.object({ org: z.string(), env: z.string() });

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

const show = route("GET /api/v1/organizations/{org}/environments/{env}/activity", {
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
  app.openapi(show, async (c) => {
    const { minutes, attention, ...rest } = await callEnvironment(c.var, (each) => each.readActivity(MEMBER));
    return c.json({ ...rest, minutes: [...minutes], attention: [...attention] }, 200);
  });

  app.openapi(watch, async (c) => {
    const { caller, environment, services } = c.var;
    if (c.req.header("upgrade")?.toLowerCase() !== "websocket") {
      return failure(426, "This address takes WebSocket connections only.");
    }
    // A browser lets any page open a socket, and sends the cookies of its address along.
    if (caller.kind === "person" && caller.via === "session" && !comesFromOurPage(c.req.raw)) throw fromElsewhere();
    return services.objects.watch(environment.id);
  });
}
