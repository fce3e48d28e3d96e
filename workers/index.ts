// The deployed script. Only routes and exports are here; each Worker has a folder of its own.
import { Hono } from "hono";
import { now } from "../shared/kernel/clock.ts";
import { log, loggablePath, setLogLevel } from "../shared/kernel/log.ts";
import { consoleApi } from "./console/index.ts";
import { type Env, parseSettings } from "./env.ts";
import type { Caller } from "./ingress/authenticate.ts";
import { ingress } from "./ingress/index.ts";
import { clockIsMisplaced, clockIsMovable, moveClock, readClock } from "./local/clock.ts";
import { limitByAddress } from "./platform/rate-limits.ts";
import { tickSchedules } from "./scheduler/index.ts";
import { webhooks } from "./webhook/index.ts";

export { Archive } from "./archive/entrypoint.ts";
export { Repairs } from "./console/control/repairs.ts";
export { Environment } from "./environment/object.ts";
export { OutgoingFetch } from "./outgoing/entrypoint.ts";
export { ScheduleBook } from "./scheduler/book.ts";
export { SourceBook } from "./webhook/book/object.ts";
export { WebhookSource } from "./webhook/source/object.ts";

const app = new Hono<{ Bindings: Env; Variables: { caller?: Caller } }>();

app.get("/healthcheck", () => Response.json({ status: "ok" }));
app.use("*", async (c, next) => {
  const started = now();
  const url = new URL(c.req.url);
  setLogLevel(parseSettings(c.env).LOG_LEVEL);
  if (clockIsMisplaced(c.env, url)) {
    return c.json(
      { error: "This router has the setting CLOCK=movable, which is for local tests only. Remove it." },
      503,
    );
  }
  await next();
  const { method } = c.req;
  log("info", "request", {
    id: c.req.header("cf-ray") ?? crypto.randomUUID(),
    method,
    path: loggablePath(url.pathname),
    status: c.res.status,
    ms: now() - started,
    ...(c.get("caller") && { environment: c.get("caller")?.environmentId, key: c.get("caller")?.keyId }),
  });
});
app.get("/local/clock", (c) => (clockIsMovable(c.env, new URL(c.req.url)) ? readClock() : c.notFound()));
app.post("/local/clock", (c) =>
  clockIsMovable(c.env, new URL(c.req.url)) ? moveClock(c.env, c.req.raw) : c.notFound(),
);
app.use("/api/*", limitByAddress);
app.use("/webhooks/*", limitByAddress);
app.route("/", webhooks);
app.route("/", consoleApi);
app.route("/", ingress);
app.notFound((c) => c.json({ error: "There is nothing at this address." }, 404));
app.onError((error, c) => {
  log("error", "request failed", { name: error.name });
  return c.json({ error: "Something failed inside. Send the request again." }, 500);
});

export default {
  fetch: app.fetch,
  scheduled: (controller, env) => tickSchedules(controller.scheduledTime, env),
} satisfies ExportedHandler<Env>;
