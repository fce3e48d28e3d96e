// The members of an organization: list, change a role, remove. A caller cannot give or take a role above their own, and an
// organization keeps at least one owner. A removal is in force at once for every change and every token; open pages of the
// removed member can read for up to five minutes, see access-cookie.ts.
import type { OpenAPIHono } from "@hono/zod-openapi";
import { and, asc, eq, sql } from "drizzle-orm";
import { z } from "zod";
import { Member, PatchedMember } from "../../../shared/api/organizations.ts";
import { listOf, PageQuery, pageOf } from "../../../shared/api/pages.ts";
import { mayActAs, type Role } from "../../../shared/api/roles.ts";
import { members, organizations, users } from "../../../shared/db/schema.ts";
import { audit, auditEntry } from "../audit.ts";
import type { ConsoleServices } from "../control/ports.ts";
import { conflict, needsRole, notFound } from "../refusals.ts";
import { body, type ConsoleEnv, json, route } from "./route.ts";

const org = z.object({ org: z.string() });
const one = z.object({ org: z.string(), user: z.string() });
const LAST_OWNER = "An organization keeps at least one owner. Make another member an owner first.";

const list = route("GET /api/v1/organizations/{org}/members", {
  summary: "List members",
  request: { params: org, query: PageQuery },
  responses: { 200: json("The oldest first.", listOf(Member)) },
});
const change = route("PATCH /api/v1/organizations/{org}/members/{user}", {
  summary: "Give a member another role",
  request: { params: one, body: body(PatchedMember) },
  responses: { 200: json("The member as it is now.", Member) },
});
const remove = route("DELETE /api/v1/organizations/{org}/members/{user}", {
  summary: "Remove a member",
  request: { params: one },
  responses: { 204: { description: "Member removed." } },
});

export function memberRoutes(app: OpenAPIHono<ConsoleEnv>): void {
  app.openapi(list, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const { services, organization } = c.var;
    const after =
      cursor === undefined
        ? undefined
        : sql`(${members.createdAt}, ${members.userId}) > (select created_at, user_id from members
            where organization_id = ${organization.id} and user_id = ${cursor})`;
    const rows = await services.db
      .select({ member: members, email: users.email, name: users.name })
      .from(members)
      .innerJoin(users, eq(users.id, members.userId))
      .where(and(eq(members.organizationId, organization.id), after))
      .orderBy(asc(members.createdAt), asc(members.userId))
      .limit(limit + 1);
    return c.json(pageOf(rows, limit, { answer: memberAnswer, cursor: ({ member }) => member.userId }), 200);
  });

  app.openapi(change, async (c) => {
    const { services, organization } = c.var;
    const { role } = c.req.valid("json");
    const { user } = c.req.valid("param");
    const before = await readMember(services, organization.id, user);
    mustNotReachAbove(organization.role, before.member.role, role);
    const [, changed] = await services.db.batch([
      lockOf(services, organization.id),
      services.db
        .update(members)
        .set({ role })
        .where(
          and(memberIs(organization.id, user), role === "owner" ? undefined : anotherOwnerThan(organization.id, user)),
        )
        .returning({ userId: members.userId }),
      audit(services.db, auditEntry(c.var, "member.change", user)),
    ]);
    if (changed.length === 0) throw conflict(LAST_OWNER);
    return c.json(memberAnswer(await readMember(services, organization.id, user)), 200);
  });

  app.openapi(remove, async (c) => {
    const { services, organization } = c.var;
    const { user } = c.req.valid("param");
    const { member } = await readMember(services, organization.id, user);
    mustNotReachAbove(organization.role, member.role, member.role);
    const [, removed] = await services.db.batch([
      lockOf(services, organization.id),
      services.db
        .delete(members)
        .where(and(memberIs(organization.id, user), anotherOwnerThan(organization.id, user)))
        .returning({ userId: members.userId }),
      audit(services.db, auditEntry(c.var, "member.remove", user)),
    ]);
    if (removed.length === 0) throw conflict(LAST_OWNER);
    return c.body(null, 204);
  });
}

/** Locks the organization, so that two owners cannot remove each other at the same time. */
function lockOf({ db }: ConsoleServices, organizationId: string) {
  return db
    .select({ id: organizations.id })
    .from(organizations)
    .where(eq(organizations.id, organizationId))
    .for("update");
}

function memberIs(organizationId: string, userId: string) {
  return and(eq(members.organizationId, organizationId), eq(members.userId, userId));
}

function anotherOwnerThan(organizationId: string, userId: string) {
  return sql`exists (select 1 from members as others
    where others.organization_id = ${organizationId} and others.user_id <> ${userId} and others.role = 'owner')`;
}

/** Refuses roles above the caller's own: an admin can neither make nor change an owner. */
export function mustNotReachAbove(own: Role, before: Role, after: Role): void {
  for (const role of [before, after]) if (!mayActAs(own, role)) throw needsRole(role);
}

async function readMember({ db }: ConsoleServices, organizationId: string, userId: string): Promise<MemberRow> {
  const [found] = await db
    .select({ member: members, email: users.email, name: users.name })
    .from(members)
    .innerJoin(users, eq(users.id, members.userId))
    .where(memberIs(organizationId, userId));
  if (found === undefined) throw notFound("member");
  return found;
}

interface MemberRow {
  readonly member: typeof members.$inferSelect;
  readonly email: string;
  readonly name: string;
}

function memberAnswer({ member: { userId, role, createdAt }, email, name }: MemberRow): Member {
  return { userId, email, name, role, createdAt: createdAt.toISOString() };
}
