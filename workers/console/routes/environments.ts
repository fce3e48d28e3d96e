// The environments of an organization: list, show, add, change what reaches them, close. A closed environment keeps
// its slug, runs and events; its keys are revoked.
import type { OpenAPIHono } from "@hono/zod-openapi";
import { and, asc, eq, isNull, sql } from "drizzle-orm";
import { z } from "zod";
import { BORN_WITH, Environment, PatchedEnvironment, PostedEnvironment } from "../../../shared/api/environments.ts";
import { listOf, PageQuery, pageOf } from "../../../shared/api/pages.ts";
import { apiKeys, type Environment as EnvironmentRow, environments } from "../../../shared/db/schema.ts";
import { newEnvironmentId, newKeyId } from "../../../shared/ids/ids.ts";
import { actorOf } from "../access/caller.ts";
import { audit, auditEntry } from "../audit.ts";
import { changeEnvironments } from "../change-environments.ts";
import type { ConsoleServices } from "../control/ports.ts";
import { violates } from "../database-faults.ts";
import { afterCursor } from "../keyset.ts";
import { conflict, notFound } from "../refusals.ts";
import { body, type ConsoleEnv, json, route } from "./route.ts";

const org = z.object({ org: z.string() });
const env = z.object({ org: z.string(), env: z.string() });

const list = route("GET /api/v1/organizations/{org}/environments", {
  summary: "List environments",
  request: { params: org, query: PageQuery },
  responses: { 200: json("The oldest first.", listOf(Environment)) },
});
const add = route("POST /api/v1/organizations/{org}/environments", {
  summary: "Add an environment, with a key named default",
  request: { params: org, body: body(PostedEnvironment) },
  responses: { 201: json("It takes events.", Environment) },
});
const show = route("GET /api/v1/organizations/{org}/environments/{env}", {
  summary: "Show an environment",
  request: { params: env },
  responses: { 200: json("The environment.", Environment) },
});
const change = route("PATCH /api/v1/organizations/{org}/environments/{env}", {
  summary: "Choose whether webhooks and schedules reach an environment, and how long it keeps what has ended",
  request: { params: env, body: body(PatchedEnvironment) },
  responses: { 200: json("The environment as it is now.", Environment) },
});
const close = route("DELETE /api/v1/organizations/{org}/environments/{env}", {
  summary: "Close an environment: its keys are revoked, and nothing reaches it",
  request: { params: env },
  responses: { 204: { description: "It is in force." } },
});

export function environmentRoutes(app: OpenAPIHono<ConsoleEnv>): void {
  app.openapi(list, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const rows = await c.var.services.db
      .select()
      .from(environments)
      .where(
        and(
          eq(environments.organizationId, c.var.organization.id),
          isNull(environments.archivedAt),
          afterCursor(environments, environments, cursor, "oldest first"),
        ),
      )
      .orderBy(asc(environments.createdAt), asc(environments.id))
      .limit(limit + 1);
    return c.json(pageOf(rows, limit, { answer: environmentAnswer, cursor: ({ id }) => id }), 200);
  });

  app.openapi(add, async (c) => {
    const { services, organization, caller } = c.var;
    const { db } = services;
    const environmentId = newEnvironmentId();
    const createdBy = actorOf(caller);
    const createdAt = new Date(services.now());
    const secretVersion = await services.currentSecretVersion();
    const key = { id: newKeyId(), environmentId, name: "default", secretVersion, createdAt, createdBy };
    const entry = { organizationId: organization.id, environmentId, actor: createdBy, subject: environmentId };
    await changeEnvironments(services, [environmentId], () =>
      db
        .batch([
          db
            .insert(environments)
            .values({ ...c.req.valid("json"), id: environmentId, organizationId: organization.id, createdAt }),
          db.insert(apiKeys).values(key),
          audit(db, { ...entry, action: "environment.add" }),
        ])
        .catch((error: unknown) => {
          if (!violates(error, "environments_organization_id_slug_unique")) throw error;
          throw conflict(
            "The organization has an environment with this slug, perhaps a closed one. Choose another slug.",
          );
        }),
    );
    return c.json(await readEnvironment(services, environmentId), 201);
  });

  app.openapi(show, async (c) => c.json(await readEnvironment(c.var.services, c.var.environment.id), 200));

  app.openapi(change, async (c) => {
    const { services, environment } = c.var;
    const { db } = services;
    const { receivesWebhooks, receivesSchedules, retentionDays, historyDays } = c.req.valid("json");
    await changeEnvironments(services, [environment.id], () =>
      db.batch([
        db
          .update(environments)
          .set({
            ...(receivesWebhooks !== undefined && { receivesWebhooks }),
            ...(receivesSchedules !== undefined && { receivesSchedules }),
            ...(retentionDays !== undefined && { retentionDays }),
            ...(historyDays !== undefined && { historyDays }),
            revision: sql`${environments.revision} + 1`,
          })
          .where(eq(environments.id, environment.id)),
        audit(db, auditEntry(c.var, "environment.change", environment.id)),
      ]),
    );
    return c.json(await readEnvironment(services, environment.id), 200);
  });

  app.openapi(close, async (c) => {
    const { services, environment } = c.var;
    if (BORN_WITH.some((slug) => slug === environment.slug)) {
      throw conflict(`Every organization has ${BORN_WITH.join(" and ")}. Revoke their keys to stop them.`);
    }
    const { db } = services;
    const at = new Date(services.now());
    await changeEnvironments(services, [environment.id], () =>
      db.batch([
        db
          .update(apiKeys)
          .set({ revokedAt: at })
          .where(and(eq(apiKeys.environmentId, environment.id), isNull(apiKeys.revokedAt))),
        db
          .update(environments)
          .set({ archivedAt: at, revision: sql`${environments.revision} + 1` })
          .where(eq(environments.id, environment.id)),
        audit(db, auditEntry(c.var, "environment.archive", environment.id)),
      ]),
    );
    return c.body(null, 204);
  });
}

async function readEnvironment({ db }: ConsoleServices, id: string): Promise<Environment> {
  const [row] = await db.select().from(environments).where(eq(environments.id, id));
  if (row === undefined) throw notFound("environment");
  return environmentAnswer(row);
}

function environmentAnswer(row: EnvironmentRow): Environment {
  const { id, slug, createdAt, receivesWebhooks, receivesSchedules, retentionDays, historyDays } = row;
  const inForce = row.pushedRevision >= row.revision;
  const settings = { receivesWebhooks, receivesSchedules, retentionDays, historyDays };
  return { id, slug, createdAt: createdAt.toISOString(), ...settings, inForce };
}
