// The ingress Worker: what is called with an API key. Every route below /api goes through one authentication and one
// log line; tests/workerd/ingress.test.ts holds every route to the same rules from one table.
import { type Context, Hono } from "hono";
import { failure, methodNotAllowed, unauthorized } from "../../shared/kernel/answers.ts";
import { log } from "../../shared/kernel/log.ts";
import type { Env } from "../env.ts";
import { afterBadKey, isTooMany, tooMany } from "../platform/rate-limits.ts";
import { authenticate, type Caller } from "./authenticate.ts";
import { type Ingress, ingressFor } from "./call-environment.ts";
import { connectHost } from "./connect.ts";
import { cancelRun, changeWorkflow, rerunRun } from "./manage.ts";
import { postEvents } from "./post-events.ts";
import { getEvent, listEvents } from "./read-events.ts";
import { getRun, listRuns, listWorkflowRuns, listWorkflows } from "./read-runs.ts";

type Routes = { Bindings: Env; Variables: { caller?: Caller } };
type Route = Context<Routes>;

const withKey = (work: (ingress: Ingress) => Promise<Response>) => async (c: Route) => {
  const caller = await authenticate(c.env, c.req.header("authorization") ?? null);
  if (caller === null) return afterBadKey(c.env, c.req.raw, unauthorized());
  c.set("caller", caller);
  if (await isTooMany(c.env, "KEY_LIMIT", `${caller.environmentId} ${caller.keyId}`)) return tooMany("KEY_LIMIT");
  return work(ingressFor(c.env, caller, c.req.raw, c.req.param()));
};

export const ingress = new Hono<Routes>();

type Handler = (c: Route) => Response | Promise<Response>;

/** Every route; a method that none of its path takes is a 405 that names those that are. */
const ROUTES: readonly (readonly [path: string, method: string, handler: Handler])[] = [
  ["/api/v1/events", "POST", withKey(postEvents)],
  ["/api/v1/events", "GET", withKey(listEvents)],
  ["/api/v1/events/:id", "GET", withKey(getEvent)],
  ["/api/v1/runs", "GET", withKey(listRuns)],
  ["/api/v1/runs.json", "GET", withKey(listRuns)],
  ["/api/v1/runs/:id", "GET", withKey(getRun)],
  ["/api/v1/runs/:id/cancel", "POST", withKey(cancelRun)],
  ["/api/v1/runs/:id/rerun", "POST", withKey(rerunRun)],
  ["/api/v1/workflows", "GET", withKey(listWorkflows)],
  ["/api/v1/workflows/:slug", "DELETE", withKey(changeWorkflow("deregister"))],
  ["/api/v1/workflows/:slug/pause", "POST", withKey(changeWorkflow("pause"))],
  ["/api/v1/workflows/:slug/resume", "POST", withKey(changeWorkflow("resume"))],
  ["/api/v1/workflows/:slug/runs", "GET", withKey(listWorkflowRuns)],
  ["/api/v1/workflows/:slug/runs.json", "GET", withKey(listWorkflowRuns)],
  ["/ws", "GET", (c) => connectHost(c.env, c.req.raw)],
];

for (const [path, method, handler] of ROUTES) ingress.on(method, path, handler);
for (const path of new Set(ROUTES.map(([path]) => path))) {
  const allowed = ROUTES.filter((route) => route[0] === path).map(([, method]) => method);
  ingress.all(path, () => methodNotAllowed(allowed.join(", ")));
}

ingress.notFound(() => failure(404, "There is nothing at this address."));
ingress.onError((error) => {
  log("error", "request failed", { name: error.name });
  return failure(500, "Something failed inside. Send the request again.");
});
