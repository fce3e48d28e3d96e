// Organizations: list, create, show, rename, delete. Whoever creates one is its owner; the operator's has none until one
// is added. Creating answers with the keys of both environments; showing does so for the operator only.
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
import { organizationAnswer } from "../answers.ts";
import { audit } from "../audit.ts";
import { changing } from "../control/apply-change.ts";
import { createOrganization } from "../control/create-organization.ts";
import { markDeleted } from "../control/delete-organization.ts";
import { organizationEffects } from "../control/organization-effects.ts";
import { showOrganization } from "../control/show-organization.ts";
import { beyond } from "../keyset.ts";
import { notFound, Refused } from "../refusals.ts";
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
    const { world, caller } = c.var;
    const { limit, cursor } = c.req.valid("query");
    const after = beyond(organizations, organizations, cursor, "oldest first");
    const rows =
      caller.kind === "operator"
        ? await world.db
            .select()
            .from(organizations)
            .where(and(isNull(organizations.deletedAt), after))
            .orderBy(asc(organizations.createdAt), asc(organizations.id))
            .limit(limit + 1)
            .then((all) => all.map((organization) => ({ organization, role: "owner" as Role })))
        : await world.db
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
    const { world, caller } = c.var;
    const result = await createOrganization(organizationEffects(world, caller), c.req.valid("json"));
    if (result.outcome !== "created") throw new Refused(() => organizationAnswer(result));
    log("info", "organization created", { organization: result.organization.id });
    return c.json(result.organization, 201);
  });

  app.openapi(show, async (c) => {
    const { world, caller, organization } = c.var;
    if (caller.kind !== "operator") return c.json(await readOrganization(c.var), 200);
    const result = await showOrganization(organizationEffects(world, caller), organization.slug);
    if (result.outcome !== "shown") throw new Refused(() => organizationAnswer(result));
    return c.json(result.organization, 200);
  });

  app.openapi(rename, async (c) => {
    const { world, caller, organization } = c.var;
    const { db } = world;
    const entry = { organizationId: organization.id, subject: organization.id, actor: actorOf(caller) };
    await db.batch([
      db.update(organizations).set(c.req.valid("json")).where(eq(organizations.id, organization.id)),
      audit(db, { ...entry, action: "organization.rename" }),
    ]);
    return c.json(await readOrganization(c.var), 200);
  });

  app.openapi(remove, async (c) => {
    const { world, caller, organization } = c.var;
    const { db } = world;
    // Archived ones too: their objects hold their past.
    const all = await db
      .select({ id: environments.id })
      .from(environments)
      .where(eq(environments.organizationId, organization.id));
    const entry = { organizationId: organization.id, subject: organization.id, actor: actorOf(caller) };
    await changing(
      world,
      all.map(({ id }) => id),
      () =>
        db.batch([
          ...markDeleted(db, organization.id, new Date(world.now())),
          audit(db, { ...entry, action: "organization.delete" }),
        ]),
    );
    return c.body(null, 204);
  });
}

async function readOrganization({
  world,
  organization: { id, role },
}: Pick<ConsoleEnv["Variables"], "world" | "organization">): Promise<Organization> {
  const [row] = await world.db.select().from(organizations).where(eq(organizations.id, id));
  if (row === undefined) throw notFound("organization");
  return describe(row, role);
}

function describe(row: typeof organizations.$inferSelect, role: Role): Organization {
  const { id, slug, name, createdAt } = row;
  return { id, slug, name, role, createdAt: createdAt.toISOString() };
}
