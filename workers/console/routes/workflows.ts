// The workflows of an environment: list, pause, resume, deregister, test. The environment's object is their record, so a
// change is made there and then written to the audit log. The caller's right is read from Postgres before.
import type { OpenAPIHono } from "@hono/zod-openapi";
import { z } from "zod";
import { eventContent } from "../../../shared/api/events.ts";
import { listOf, PageQuery } from "../../../shared/api/pages.ts";
import { EmittedEvent, PostedTest } from "../../../shared/api/schedules.ts";
import { MEMBER, type WorkflowChange } from "../../../shared/contracts/environment.ts";
import { canonicalJson, contentDigest } from "../../../shared/kernel/canonical-json.ts";
import { EVENT_BODY_MAX_BYTES, EVENT_MAX_BYTES } from "../../../shared/kernel/limits.ts";
import { writeAudit } from "../audit.ts";
import { callEnvironment } from "../call-environment.ts";
import { conflict, notFound, unprocessable } from "../refusals.ts";
import { body, type ConsoleEnv, json, route } from "./route.ts";
import { emittedAnswer } from "./schedules.ts";

const env = z.object({ org: z.string(), env: z.string() });
const ofWorkflow = z.object({ org: z.string(), env: z.string(), workflow: z.string() });

// The fields that are always present. The answer is that of `GET /api/v1/workflows` with an API key.
const Workflow = z.object({ slug: z.string(), name: z.string(), paused: z.boolean() }).meta({ id: "Workflow" });
const Paused = z.object({ slug: z.string(), paused: z.boolean() });

const list = route("GET /api/v1/organizations/{org}/environments/{env}/workflows", {
  summary: "List workflows and who serves them",
  request: { params: env, query: PageQuery },
  responses: { 200: json("By slug.", listOf(Workflow)) },
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
const test = route(
  "POST /api/v1/organizations/{org}/environments/{env}/workflows/{workflow}/test",
  {
    summary: "Run a workflow with a payload, as a test; its filter is not asked",
    request: { params: ofWorkflow, body: body(PostedTest) },
    responses: { 201: json("The event, and the test run it made.", EmittedEvent) },
  },
  EVENT_BODY_MAX_BYTES,
);

export function workflowRoutes(app: OpenAPIHono<ConsoleEnv>): void {
  app.openapi(list, async (c) => {
    const { limit, cursor = null } = c.req.valid("query");
    const page = await callEnvironment(c.var, (environment) => environment.listWorkflows(MEMBER, { limit, cursor }));
    return c.json({ data: page.data.map((each) => ({ ...each })), next: page.next }, 200);
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

  app.openapi(test, async (c) => {
    const { workflow } = c.req.valid("param");
    const { payload, context } = c.req.valid("json");
    const content = eventContent({ name: workflow, payload, context });
    if (content === null) throw tooLarge();
    const digest = await contentDigest(canonicalJson({ payload, context }));
    const tested = await callEnvironment(c.var, (environment) =>
      environment.testWorkflow(MEMBER, workflow, { payload: content.payload, context: content.context, digest }),
    );
    if (tested === "not found") throw notFound("workflow");
    if (tested === "too large") throw tooLarge();
    await writeAudit(c.var, "workflow.test", workflow);
    return c.json(emittedAnswer(tested.event), 201);
  });
}

const tooLarge = () =>
  unprocessable("payload", `payload and context must not exceed ${EVENT_MAX_BYTES} bytes of JSON together`);

async function change(variables: ConsoleEnv["Variables"], slug: string, what: WorkflowChange): Promise<void> {
  const changed = await callEnvironment(variables, (environment) => environment.changeWorkflow(MEMBER, slug, what));
  if (changed === "not found") throw notFound("workflow");
  if (changed === "connected") throw conflict("Hosts serve this workflow. Stop them, then deregister it.");
  await writeAudit(variables, `workflow.${what}`, slug);
}
