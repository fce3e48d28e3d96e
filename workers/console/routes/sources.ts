// The webhook sources of an organization: list, create, show, change, delete, show the secrets. A source's object is its
// record (docs/decisions/0008-sources-without-postgres.md), so a change is made there and then written to the audit log. The
// entry names the service and not the id: the id is part of the URL, and Postgres stores no secret.
import type { OpenAPIHono } from "@hono/zod-openapi";
import { z } from "zod";
import { listOf, PageQuery, pageOf } from "../../../shared/api/pages.ts";
import { PatchedSource, PostedSource, Source, SourceDetails, SourceSecrets } from "../../../shared/api/sources.ts";
import type { WorkflowsPage } from "../../../shared/api/workflows.ts";
import { MEMBER } from "../../../shared/contracts/environment.ts";
import type { SourceChanged, SourceDescription, WebhookTrigger } from "../../../shared/contracts/webhook-source.ts";
import { PAGE_MAX } from "../../../shared/kernel/limits.ts";
import type { EnvironmentAccess } from "../access/types.ts";
import { audit, auditEntry, writeAudit } from "../audit.ts";
import { callEnvironment } from "../call-environment.ts";
import { type FoundSource, findSource } from "../call-source.ts";
import { pushEnvironment } from "../control/apply-change.ts";
import { conflict, notFound, secretsUnreadable, unprocessable } from "../refusals.ts";
import { body, type ConsoleEnv, json, route } from "./route.ts";

const org = z.object({ org: z.string() });
const one = z.object({ org: z.string(), source: z.string() });

const list = route("GET /api/v1/organizations/{org}/sources", {
  summary: "List webhook sources and their URLs",
  request: { params: org, query: PageQuery },
  responses: { 200: json("By service.", listOf(Source)) },
});
const create = route("POST /api/v1/organizations/{org}/sources", {
  summary: "Make a webhook source; what is left out is the service's own",
  request: { params: org, body: body(PostedSource) },
  responses: { 201: json("It takes deliveries.", Source) },
});
const show = route("GET /api/v1/organizations/{org}/sources/{source}", {
  summary: "Show a webhook source and the workflows that listen to it",
  request: { params: one },
  responses: { 200: json("The source.", SourceDetails) },
});
const change = route("PATCH /api/v1/organizations/{org}/sources/{source}", {
  summary: "Change how a source verifies and names deliveries, or its secrets",
  request: { params: one, body: body(PatchedSource) },
  responses: { 200: json("It is in force.", Source) },
});
const remove = route("DELETE /api/v1/organizations/{org}/sources/{source}", {
  summary: "Delete a source with its deliveries; a workflow that registers for its service makes a new one",
  request: { params: one },
  responses: { 204: { description: "Its URL takes nothing more." } },
});
const showSecrets = route("POST /api/v1/organizations/{org}/sources/{source}/show", {
  summary: "Show a source's secrets",
  request: { params: one },
  responses: { 200: json("The secrets.", SourceSecrets) },
});

export function sourceRoutes(app: OpenAPIHono<ConsoleEnv>): void {
  app.openapi(list, async (c) => {
    const { services, organization } = c.var;
    const { limit, cursor = null } = c.req.valid("query");
    const listed = await services.sources.list(organization.id, { limit: limit + 1, cursor });
    const { data, next } = pageOf(listed, limit, { answer: (each) => each, cursor: ({ service }) => service });
    const described = await Promise.all(
      data.map(async ({ service, name }) => ({
        id: await services.sources.idOf(organization.id, service),
        description: await services.sources.call(name, (source) => source.describe()),
      })),
    );
    // A source that is just being created is already in the list.
    const there = described.flatMap(({ id, description }) =>
      description === null ? [] : sourceAnswer(c.req.url, id, description),
    );
    return c.json({ data: there, next }, 200);
  });

  app.openapi(create, async (c) => {
    const { services, organization } = c.var;
    const posted = c.req.valid("json");
    // An organization that is older than webhook sources has not placed its environments in the SourceBook yet.
    await Promise.all(organization.environments.map(({ id }) => pushEnvironment(services, id)));
    const id = await services.sources.idOf(organization.id, posted.service);
    const name = await services.sources.nameOf(id);
    if (name === null) throw notFound("source");
    mustBeDone(
      await services.sources.call(name, (each) => each.create({ ...posted, organizationId: organization.id })),
    );
    await writeAudit(c.var, "source.create", posted.service);
    const { description } = await findSource(c.var, id);
    return c.json(sourceAnswer(c.req.url, id, description), 201);
  });

  app.openapi(show, async (c) => {
    const found = await findSource(c.var, c.req.valid("param").source);
    const workflows = await listeningWorkflows(c.var, found);
    return c.json({ ...sourceAnswer(c.req.url, found.id, found.description), workflows }, 200);
  });

  app.openapi(change, async (c) => {
    const found = await findSource(c.var, c.req.valid("param").source);
    const patch = c.req.valid("json");
    mustBeDone(await found.call((source) => source.change(patch)));
    await writeAudit(c.var, "source.change", found.description.service);
    const { description } = await findSource(c.var, found.id);
    return c.json(sourceAnswer(c.req.url, found.id, description), 200);
  });

  app.openapi(remove, async (c) => {
    const found = await findSource(c.var, c.req.valid("param").source);
    await found.call((source) => source.remove());
    await writeAudit(c.var, "source.delete", found.description.service);
    return c.body(null, 204);
  });

  app.openapi(showSecrets, async (c) => {
    const found = await findSource(c.var, c.req.valid("param").source);
    // Audited first, so that nobody sees the secrets without an entry.
    await audit(c.var.services.db, auditEntry(c.var, "source.show", found.description.service));
    const secrets = await found.call((source) => source.secrets());
    if (secrets === null) throw secretsUnreadable();
    return c.json({ secrets: [...secrets] }, 200);
  });
}

function mustBeDone(changed: SourceChanged): void {
  if (changed === "done") return;
  if (changed === "exists") throw conflict("The organization has a source for this service. Change that one.");
  if (changed === "full") throw conflict("The organization has the maximum number of sources. Delete one first.");
  if (changed === "no source" || changed === "deleted") throw notFound("source");
  const [problem] = changed.problems;
  throw unprocessable(problem?.path.join(".") ?? "(body)", problem?.message ?? "is not valid");
}

/** The workflows that listen to the source's service, each with its verification, compared with the source's. */
async function listeningWorkflows(
  { services, organization }: ConsoleEnv["Variables"],
  { description: { service }, call }: FoundSource,
): Promise<SourceDetails["workflows"]> {
  const found = await Promise.all(
    organization.environments.map(async (environment) =>
      (await workflowsOf(services, environment, service)).map((each) => ({ environment: environment.slug, ...each })),
    ),
  );
  const all = found.flat();
  const compared = await call((source) => source.compare(all.map(({ trigger }) => trigger)));
  return all.flatMap(({ environment, workflow }, index) => {
    const judged = compared[index];
    return judged === undefined ? [] : { environment, workflow, asks: judged.asks, differs: judged.differs };
  });
}

async function workflowsOf(
  services: ConsoleEnv["Variables"]["services"],
  environment: EnvironmentAccess,
  service: string,
): Promise<{ workflow: string; trigger: WebhookTrigger }[]> {
  const found: { workflow: string; trigger: WebhookTrigger }[] = [];
  let cursor: string | null = null;
  do {
    const page: WorkflowsPage = await callEnvironment({ services, environment }, (object) =>
      object.listWorkflows(MEMBER, { limit: PAGE_MAX, cursor }),
    );
    for (const { slug, trigger } of page.data) {
      const listens = ListensTo.safeParse(trigger);
      if (listens.success && listens.data.service === service) found.push({ workflow: slug, trigger: listens.data });
    }
    cursor = page.next;
  } while (cursor !== null);
  return found;
}

const ListensTo = z.object({
  type: z.literal("WEBHOOK"),
  service: z.string(),
  source: z.unknown().optional(),
  manualRegistration: z.boolean(),
});

export function sourceAnswer(requestUrl: string, id: string, description: SourceDescription): Source {
  const { service, verification, naming, handshake, secrets, environments, createdAt, lastDeliveryAt } = description;
  return {
    id,
    service,
    url: new URL(`/webhooks/${id}`, requestUrl).href,
    verification,
    naming,
    handshake,
    secrets,
    environments: environments.map(({ slug }) => slug).sort(),
    createdAt: new Date(createdAt).toISOString(),
    lastDeliveryAt: lastDeliveryAt === null ? null : new Date(lastDeliveryAt).toISOString(),
  };
}
