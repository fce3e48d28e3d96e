// What a member does to runs and workflows. The environment's object is the truth about them, so the change is made there
// and then written to the audit log; Postgres is asked for the right before.
import type { OpenAPIHono } from "@hono/zod-openapi";
import { z } from "zod";
import type { AuditAction } from "../../../shared/api/audit.ts";
import { MEMBER, type RunChange, type WorkflowChange } from "../../../shared/contracts/environment.ts";
import { actorOf } from "../access/caller.ts";
import { audit } from "../audit.ts";
import { callEnvironment } from "../call-environment.ts";
import { conflict, notAudited, notFound } from "../refusals.ts";
import { type ConsoleEnv, json, route } from "./route.ts";

const ofRun = z.object({ org: z.string(), env: z.string(), run: z.string() });
const ofWorkflow = z.object({ org: z.string(), env: z.string(), workflow: z.string() });
const Paused = z.object({ slug: z.string(), paused: z.boolean() });

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
const pause = route("POST /api/v1/organizations/{org}/environments/{env}/workflows/{workflow}/pause", {
  summary: "Let a workflow's runs wait",
  request: { params: ofWorkflow },
  responses: { 200: json("Its runs are made and wait.", Paused) },
});
const resume = route("POST /api/v1/organizations/{org}/environments/{env}/workflows/{workflow}/resume", {
  summary: "Let a workflow's runs go on",
  request: { params: ofWorkflow },
  responses: { 200: json("Its runs go to its hosts.", Paused) },
});
const deregister = route("DELETE /api/v1/organizations/{org}/environments/{env}/workflows/{workflow}", {
  summary: "Have a workflow start nothing until a host registers it again; its waiting runs are canceled",
  request: { params: ofWorkflow },
  responses: { 204: { description: "It is deregistered." } },
});

export function activityChangeRoutes(app: OpenAPIHono<ConsoleEnv>): void {
  app.openapi(cancel, async (c) => {
    const { run } = c.req.valid("param");
    const changed = await callEnvironment(c.var, (environment) => environment.cancelRun(MEMBER, run));
    const text = runText(changed);
    await noted(c.var, "run.cancel", run);
    return c.body(text, 200, { "Content-Type": "application/json" });
  });

  app.openapi(rerun, async (c) => {
    const { run } = c.req.valid("param");
    const changed = await callEnvironment(c.var, (environment) => environment.rerunRun(MEMBER, run));
    const text = runText(changed);
    await noted(c.var, "run.rerun", run);
    return c.body(text, 201, { "Content-Type": "application/json" });
  });

  app.openapi(pause, async (c) => {
    const { workflow } = c.req.valid("param");
    await change(c.var, workflow, "pause");
    return c.json({ slug: workflow, paused: true }, 200);
  });

  app.openapi(resume, async (c) => {
    const { workflow } = c.req.valid("param");
    await change(c.var, workflow, "resume");
    return c.json({ slug: workflow, paused: false }, 200);
  });

  app.openapi(deregister, async (c) => {
    await change(c.var, c.req.valid("param").workflow, "deregister");
    return c.body(null, 204);
  });
}

async function change(variables: ConsoleEnv["Variables"], slug: string, what: WorkflowChange): Promise<void> {
  const changed = await callEnvironment(variables, (environment) => environment.changeWorkflow(MEMBER, slug, what));
  if (changed === "not found") throw notFound("workflow");
  if (changed === "connected") throw conflict("Hosts serve this workflow. Stop them, then deregister it.");
  await noted(variables, `workflow.${what}`, slug);
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

/** The change is made by then: one that cannot be written down is said to be made and not written down. */
async function noted(
  { world, organization, environment, caller }: ConsoleEnv["Variables"],
  action: AuditAction,
  subject: string,
): Promise<void> {
  const entry = { organizationId: organization.id, environmentId: environment.id, actor: actorOf(caller) };
  try {
    await audit(world.db, { ...entry, action, subject });
  } catch {
    throw notAudited();
  }
}
