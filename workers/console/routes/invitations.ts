// Invitations: create, list, revoke, accept. The router sends no mail: the answer has a token to hand to the invited
// person, which is shown once and stored as a digest. A person with the token and the address joins, if necessary with a
// new account.
import type { OpenAPIHono } from "@hono/zod-openapi";
import { hashPassword } from "better-auth/crypto";
import { and, desc, eq, gt, isNull, sql } from "drizzle-orm";
import { z } from "zod";
import {
  AcceptedInvitation,
  Invitation,
  Joined,
  NewInvitation,
  PostedInvitation,
} from "../../../shared/api/organizations.ts";
import { listOf, PageQuery, pageOf } from "../../../shared/api/pages.ts";
import {
  type Invitation as InvitationRow,
  invitations,
  members,
  organizations,
  users,
} from "../../../shared/db/schema.ts";
import { digestOfSecret, newInvitationId, newInvitationText, newUserId } from "../../../shared/ids/people-ids.ts";
import { mustBeFromOurPages } from "../access/authorize.ts";
import { actorOf, identify } from "../access/caller.ts";
import { audit, auditEntry } from "../audit.ts";
import { afterCursor } from "../keyset.ts";
import { conflict, notFound, unprocessable } from "../refusals.ts";
import { mustNotReachAbove } from "./members.ts";
import { newAccount } from "./owners.ts";
import { body, type ConsoleEnv, json, route } from "./route.ts";

const org = z.object({ org: z.string() });
const DAY_MS = 24 * 3_600_000;

const list = route("GET /api/v1/organizations/{org}/invitations", {
  summary: "List invitations, without those that were revoked",
  request: { params: org, query: PageQuery },
  responses: { 200: json("The newest first.", listOf(Invitation)) },
});
const create = route("POST /api/v1/organizations/{org}/invitations", {
  summary: "Invite someone",
  request: { params: org, body: body(PostedInvitation) },
  responses: { 201: json("The invitation, with its text this once.", NewInvitation) },
});
const revoke = route("DELETE /api/v1/organizations/{org}/invitations/{invitation}", {
  summary: "Revoke an invitation that was not accepted",
  request: { params: z.object({ org: z.string(), invitation: z.string() }) },
  responses: { 204: { description: "It cannot be accepted any more." } },
});
const accept = route("POST /api/v1/invitations/accept", {
  summary: "Accept an invitation: signed in, or with a name and a password for a new account",
  request: { body: body(AcceptedInvitation) },
  responses: { 200: json("The person is a member.", Joined) },
});

export function invitationRoutes(app: OpenAPIHono<ConsoleEnv>): void {
  app.openapi(list, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const after = afterCursor(invitations, invitations, cursor, "newest first");
    const rows = await c.var.services.db
      .select()
      .from(invitations)
      .where(and(eq(invitations.organizationId, c.var.organization.id), isNull(invitations.revokedAt), after))
      .orderBy(desc(invitations.createdAt), desc(invitations.id))
      .limit(limit + 1);
    return c.json(pageOf(rows, limit, { answer: invitationAnswer, cursor: ({ id }) => id }), 200);
  });

  app.openapi(create, async (c) => {
    const { services, organization, caller } = c.var;
    const { email, role, expiresInDays } = c.req.valid("json");
    mustNotReachAbove(organization.role, role, role);
    const text = newInvitationText();
    const createdBy = actorOf(caller);
    const row: InvitationRow = {
      id: newInvitationId(),
      organizationId: organization.id,
      email,
      role,
      digest: await digestOfSecret(text),
      createdBy,
      createdAt: new Date(services.now()),
      expiresAt: new Date(services.now() + expiresInDays * DAY_MS),
      acceptedAt: null,
      revokedAt: null,
    };
    await services.db.batch([
      services.db.insert(invitations).values(row),
      audit(services.db, auditEntry(c.var, "invitation.create", row.id)),
    ]);
    return c.json({ ...invitationAnswer(row), token: text }, 201);
  });

  app.openapi(revoke, async (c) => {
    const { services, organization } = c.var;
    const { invitation } = c.req.valid("param");
    const open = and(
      eq(invitations.id, invitation),
      eq(invitations.organizationId, organization.id),
      isNull(invitations.acceptedAt),
      isNull(invitations.revokedAt),
    );
    const [found] = await services.db.select({ id: invitations.id }).from(invitations).where(open);
    if (found === undefined) throw notFound("invitation");
    await services.db.batch([
      services.db
        .update(invitations)
        .set({ revokedAt: new Date(services.now()) })
        .where(open),
      audit(services.db, auditEntry(c.var, "invitation.revoke", invitation)),
    ]);
    return c.body(null, 204);
  });

  app.openapi(accept, async (c) => {
    const { services } = c.var;
    const { db } = services;
    const { token, name, password } = c.req.valid("json");
    const [found] = await db
      .select({ invitation: invitations, slug: organizations.slug, name: organizations.name, userId: users.id })
      .from(invitations)
      .innerJoin(organizations, and(eq(organizations.id, invitations.organizationId), isNull(organizations.deletedAt)))
      .leftJoin(users, eq(users.email, invitations.email))
      .where(
        and(
          eq(invitations.digest, await digestOfSecret(token)),
          isNull(invitations.acceptedAt),
          isNull(invitations.revokedAt),
          gt(invitations.expiresAt, new Date(services.now())),
        ),
      );
    if (found === undefined) throw notFound("invitation");
    const { invitation } = found;

    let userId = found.userId;
    const account = [];
    if (userId === null) {
      if (name === undefined) throw unprocessable("name", "is required to create an account");
      if (password === undefined) throw unprocessable("password", "is required to create an account");
      userId = newUserId();
      const person = { id: userId, email: invitation.email, name };
      account.push(...newAccount(db, person, await hashPassword(password)));
    } else {
      const identified = await identify(services, c.env, c.req.raw, true);
      if (identified?.caller.kind !== "person" || identified.caller.userId !== userId) {
        throw conflict("This invitation's address has an account. Sign in with it, then accept again.");
      }
      mustBeFromOurPages(identified.caller, c.req.raw);
    }
    const entry = { organizationId: invitation.organizationId, actor: userId, subject: invitation.id };
    // One statement accepts and joins, unless the invitation was accepted or revoked meanwhile. A member keeps their role.
    await db.batch([
      audit(db, { ...entry, action: "invitation.accept" }),
      ...account,
      db.execute(sql`
        with accepted as (
          update invitations set accepted_at = now()
          where id = ${invitation.id} and accepted_at is null and revoked_at is null
          returning organization_id, role
        )
        insert into members (organization_id, user_id, role)
        select organization_id, ${userId}, role from accepted
        on conflict do nothing`),
    ]);
    const [joined] = await db
      .select({ role: members.role })
      .from(members)
      .where(and(eq(members.organizationId, invitation.organizationId), eq(members.userId, userId)));
    if (joined === undefined) throw notFound("invitation");
    return c.json({ organization: { slug: found.slug, name: found.name }, role: joined.role }, 200);
  });
}

function invitationAnswer({ id, email, role, createdBy, ...times }: InvitationRow): Invitation {
  const { createdAt, expiresAt, acceptedAt } = times;
  return {
    id,
    email,
    role,
    createdBy,
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
    acceptedAt: acceptedAt?.toISOString() ?? null,
  };
}
