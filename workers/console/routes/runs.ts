// The runs of an environment: list, show, cancel, run again. The environment's object is their record, so a change is made
// there and then written to the audit log. The caller's right is read from Postgres before.
import type { OpenAPIHono } from "@hono/zod-openapi";
import { z } from "zod";
import { listOf } from "../../../shared/api/pages.ts";
import { ListedRuns, runsQueryOf } from "../../../shared/api/run-pages.ts";
import { RUN_STATUSES } from "../../../shared/api/runs.ts";
import { MEMBER, type RunChange } from "../../../shared/contracts/environment.ts";
import { runsThroughHistory, runThroughHistory } from "../../reading/read-through.ts";
import { writeAudit } from "../audit.ts";
import { callEnvironment } from "../call-environment.ts";
import { cursorNotFound } from "../keyset.ts";
import { conflict, notFound } from "../refusals.ts";
import { type ConsoleEnv, json, route } from "./route.ts";

const env = z.object({ org: z.string(), env: z.string() });
const ofRun = z.object({ org: z.string(), env: z.string(), run: z.string() });

// The fields that are always present. The answer is that of `GET /api/v1/runs` with an API key.
const RunSummary = z
  .object({ id: z.string(), status: z.enum(RUN_STATUSES), createdAt: z.string(), attempts: z.number() })
  .meta({ id: "RunSummary" });

const list = route("GET /api/v1/organizations/{org}/environments/{env}/runs", {
  summary: "List runs",
  request: { params: env, query: ListedRuns },
  responses: { 200: json("The newest first.", listOf(RunSummary)) },
});
const show = route("GET /api/v1/organizations/{org}/environments/{env}/runs/{run}", {
  summary: "Show a run with its event, steps and output",
  request: { params: ofRun },
  // Passed on as the text from the object: a payload may be nested too deeply to be parsed here.
  responses: { 200: { description: "The run, as `GET /api/v1/runs/:id` answers it." } },
});
const cancel = route("POST /api/v1/organizations/{org}/environments/{env}/runs/{run}/cancel", {
  summary: "Cancel a run; what its host goes on to say of it changes nothing",
  request: { params: ofRun },
  responses: { 200: { description: "The run, as `GET /api/v1/runs/:id` answers it." } },
});
const rerun = route("POST /api/v1/organizations/{org}/environments/{env}/runs/{run}/rerun", {
  summary: "Run the same event again",
  request: { params: ofRun },
  responses: { 201: { description: "The new run, as `GET /api/v1/runs/:id` answers it." } },
});

export function runRoutes(app: OpenAPIHono<ConsoleEnv>): void {
  app.openapi(list, async (c) => {
    const { workflow, ...given } = c.req.valid("query");
    const query = runsQueryOf(given);
    const slice = await callEnvironment(c.var, (environment) =>
      workflow === undefined
        ? environment.listRuns(MEMBER, query)
        : environment.listWorkflowRuns(MEMBER, workflow, query),
    );
    if (slice === "no such cursor") throw cursorNotFound();
    if (slice === "no such workflow") return c.json({ data: [], next: null }, 200);
    const page = await runsThroughHistory(c.var.environment.id, slice, query, workflow ?? null);
    return c.json({ data: page.data.map((each) => ({ ...each })), next: page.next }, 200);
  });

  app.openapi(show, async (c) => {
    const { run: id } = c.req.valid("param");
    const found = await callEnvironment(c.var, (environment) => environment.getRun(MEMBER, id));
    const json = await runThroughHistory(c.var.environment.id, id, found);
    if (json === null) throw notFound("run");
    return c.body(json, 200, { "Content-Type": "application/json" });
  });

  app.openapi(cancel, async (c) => {
    const { run } = c.req.valid("param");
    const changed = await callEnvironment(c.var, (environment) => environment.cancelRun(MEMBER, run));
    const text = runText(changed);
    await writeAudit(c.var, "run.cancel", run);
    return c.body(text, 200, { "Content-Type": "application/json" });
  });

  app.openapi(rerun, async (c) => {
    const { run } = c.req.valid("param");
    const changed = await callEnvironment(c.var, (environment) => environment.rerunRun(MEMBER, run));
    const text = runText(changed);
    await writeAudit(c.var, "run.rerun", run);
    return c.body(text, 201, { "Content-Type": "application/json" });
  });
}

function runText(change: RunChange): string {
  if ("done" in change) return change.done;
  switch (change.failed) {
    case "not found":
      throw notFound("run");
    case "ended":
      throw conflict("The run has ended already.");
    case "forgotten":
      throw conflict(
        "The run is kept in Postgres only: its event is no longer in the environment. Send the event again.",
      );
    case "gone":
      throw conflict("The run's workflow is deregistered. Connect a host that registers it, then run it again.");
  }
}
