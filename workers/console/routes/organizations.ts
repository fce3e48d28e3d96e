// Organizations: list, create, show, rename, delete. A person who creates one becomes its owner; one that the operator
// creates has no owner until one is added. The answer to a creation has the keys of both environments. The answer to a
// read has them for the operator only.
import type { OpenAPIHono } from "@hono/zod-openapi";
import { and, asc, eq, isNull } from "drizzle-orm";
import { z } from "zod";
import { Organization, PatchedOrganization } from "../../../shared/api/organizations.ts";
import { listOf, PageQuery, pageOf } from "../../../shared/api/pages.ts";
import type { Role } from "../../../shared/api/roles.ts";
import { OrganizationAnswer, PostedOrganization } from "../../../shared/api/setup.ts";
import { environments, members, organizations } from "../../../shared/db/schema.ts";
import { log } from "../../../shared/kernel/log.ts";
import { actorOf } from "../access/caller.ts";
import { audit, auditEntry } from "../audit.ts";
import { changeEnvironments } from "../change-environments.ts";
import type { NotInForce } from "../control/apply-change.ts";
import { createOrganization } from "../control/create-organization.ts";
import { markDeleted } from "../control/delete-organization.ts";
import { showOrganization } from "../control/show-organization.ts";
import { afterCursor } from "../keyset.ts";
import { conflict, notFound, organizationNotInForce, type Refused } from "../refusals.ts";
import { body, type ConsoleEnv, json, route } from "./route.ts";

const org = z.object({ org: z.string() });

const list = route("GET /api/v1/organizations", {
  summary: "List the caller's organizations; all of them for the operator",
  request: { query: PageQuery },
  responses: { 200: json("The oldest first.", listOf(Organization)) },
});
const create = route("POST /api/v1/organizations", {
  summary: "Create an organization with its environments live and development",
  request: { body: body(PostedOrganization) },
  responses: { 201: json("It is there, and its keys work.", OrganizationAnswer) },
});
const show = route("GET /api/v1/organizations/{org}", {
  summary: "Show an organization; with its keys for the operator",
  request: { params: org },
  responses: { 200: json("The organization.", z.union([Organization, OrganizationAnswer])) },
});
const rename = route("PATCH /api/v1/organizations/{org}", {
  summary: "Rename an organization; its slug stays",
  request: { params: org, body: body(PatchedOrganization) },
  responses: { 200: json("The organization as it is now.", Organization) },
});
const remove = route("DELETE /api/v1/organizations/{org}", {
  summary: "Delete an organization with all its environments and what they hold, for good",
  request: { params: org },
  responses: { 204: { description: "It is gone." } },
});

export function organizationRoutes(app: OpenAPIHono<ConsoleEnv>): void {
  app.openapi(list, async (c) => {
    const { services, caller } = c.var;
    const { limit, cursor } = c.req.valid("query");
    const after = afterCursor(organizations, organizations, cursor, "oldest first");
    const rows =
      caller.kind === "operator"
        ? await services.db
            .select()
            .from(organizations)
            .where(and(isNull(organizations.deletedAt), after))
            .orderBy(asc(organizations.createdAt), asc(organizations.id))
            .limit(limit + 1)
            .then((all) => all.map((organization) => ({ organization, role: "owner" as Role })))
        : await services.db
            .select({ organization: organizations, role: members.role })
            .from(organizations)
            .innerJoin(members, and(eq(members.organizationId, organizations.id), eq(members.userId, caller.userId)))
            .where(and(isNull(organizations.deletedAt), after))
            .orderBy(asc(organizations.createdAt), asc(organizations.id))
            .limit(limit + 1);
    const page = pageOf(rows, limit, {
      answer: ({ organization, role }) => describe(organization, role),
      cursor: ({ organization }) => organization.id,
    });
    return c.json(page, 200);
  });

  app.openapi(create, async (c) => {
    const { services, caller } = c.var;
    const posted = c.req.valid("json");
    const owner = caller.kind === "person" ? caller.userId : null;
    const created = await createOrganization(services, posted, { actor: actorOf(caller), owner });
    if (!created.ok) throw refusalOf(created.failure, posted.slug);
    log("info", "organization created", { organization: created.value.id });
    return c.json(created.value, 201);
  });

  app.openapi(show, async (c) => {
    const { services, caller, organization } = c.var;
    if (caller.kind !== "operator") return c.json(await readOrganization(c.var), 200);
    const shown = await showOrganization(services, organization.slug);
    if (!shown.ok) throw refusalOf(shown.failure, organization.slug);
    return c.json(shown.value, 200);
  });

  app.openapi(rename, async (c) => {
    const { services, organization } = c.var;
    const { db } = services;
    await db.batch([
      db.update(organizations).set(c.req.valid("json")).where(eq(organizations.id, organization.id)),
      audit(db, auditEntry(c.var, "organization.rename", organization.id)),
    ]);
    return c.json(await readOrganization(c.var), 200);
  });

  app.openapi(remove, async (c) => {
    const { services, organization } = c.var;
    const { db } = services;
    // Closed environments too: their objects hold their runs and events.
    const all = await db
      .select({ id: environments.id })
      .from(environments)
      .where(eq(environments.organizationId, organization.id));
    await changeEnvironments(
      services,
      all.map(({ id }) => id),
      () =>
        db.batch([
          ...markDeleted(db, organization.id, new Date(services.now())),
          audit(db, auditEntry(c.var, "organization.delete", organization.id)),
        ]),
    );
    return c.body(null, 204);
  });
}

function refusalOf(failure: "slug taken" | "not found" | NotInForce, slug: string): Refused {
  switch (failure) {
    case "slug taken":
      return conflict("This slug belongs to another organization. Choose another one.");
    case "not found":
      return notFound("organization");
    case "not in force":
      return organizationNotInForce(slug);
  }
}

async function readOrganization({
  services,
  organization: { id, role },
}: Pick<ConsoleEnv["Variables"], "services" | "organization">): Promise<Organization> {
  const [row] = await services.db.select().from(organizations).where(eq(organizations.id, id));
  if (row === undefined) throw notFound("organization");
  return describe(row, role);
}

function describe(row: typeof organizations.$inferSelect, role: Role): Organization {
  const { id, slug, name, createdAt } = row;
  return { id, slug, name, role, createdAt: createdAt.toISOString() };
}
