// The ingress Worker: what is called with an API key. Every route below /api goes through one authentication and one
// log line; tests/workerd/ingress.test.ts holds every route to the same rules from one table.
import { type Context, Hono } from "hono";
import { log } from "../../shared/log.ts";
import type { Env } from "../env.ts";
import { failure, methodNotAllowed, unauthorized } from "./answers.ts";
import { authenticate, type Caller } from "./authenticate.ts";
import { type Ingress, ingressFor } from "./call-environment.ts";
import { connectHost } from "./connect.ts";
import { cancelRun, changeWorkflow, rerunRun } from "./manage.ts";
import { postEvents } from "./post-events.ts";
import { getRun, listRuns, listWorkflowRuns, listWorkflows } from "./read-runs.ts";

type Routes = { Bindings: Env; Variables: { caller?: Caller } };
type Route = Context<Routes>;

const withKey = (work: (ingress: Ingress) => Promise<Response>) => async (c: Route) => {
  const caller = await authenticate(c.env, c.req.header("authorization") ?? null);
  if (caller === null) return unauthorized();
  c.set("caller", caller);
  return work(ingressFor(c.env, caller, c.req.raw, c.req.param()));
};

export const ingress = new Hono<Routes>();

ingress.post("/api/v1/events", withKey(postEvents));
ingress.get("/api/v1/runs", withKey(listRuns));
ingress.get("/api/v1/runs.json", withKey(listRuns));
ingress.get("/api/v1/runs/:id", withKey(getRun));
ingress.get("/api/v1/workflows", withKey(listWorkflows));
ingress.get("/api/v1/workflows/:slug/runs", withKey(listWorkflowRuns));
ingress.get("/api/v1/workflows/:slug/runs.json", withKey(listWorkflowRuns));
ingress.all("/api/v1/events", () => methodNotAllowed("POST"));
ingress.all("/api/v1/runs", () => methodNotAllowed("GET"));
ingress.all("/api/v1/runs/:id", () => methodNotAllowed("GET"));
ingress.all("/api/v1/workflows", () => methodNotAllowed("GET"));
ingress.all("/api/v1/workflows/:slug/runs", () => methodNotAllowed("GET"));
ingress.post("/api/v1/runs/:id/cancel", withKey(cancelRun));
ingress.post("/api/v1/runs/:id/rerun", withKey(rerunRun));
ingress.post("/api/v1/workflows/:slug/pause", withKey(changeWorkflow("pause")));
ingress.post("/api/v1/workflows/:slug/resume", withKey(changeWorkflow("resume")));
ingress.delete("/api/v1/workflows/:slug", withKey(changeWorkflow("deregister")));
ingress.get("/ws", (c) => connectHost(c.env, c.req.raw));

ingress.notFound(() => failure(404, "There is nothing at this address."));
ingress.onError((error) => {
  log("error", "request failed", { name: error.name });
  return failure(500, "Something failed inside. Send the request again.");
});
