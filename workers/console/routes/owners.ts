// POST …/owners: the operator gives an organization an owner. Creates the first account of a deployment, and restores access
// to an organization without owners. May be repeated: an existing account keeps its password.
import type { OpenAPIHono } from "@hono/zod-openapi";
import { hashPassword } from "better-auth/crypto";
import { and, eq } from "drizzle-orm";
import { z } from "zod";
import { Person, PostedOwner } from "../../../shared/api/people.ts";
import { accounts, members, users } from "../../../shared/db/schema.ts";
import { newUserId } from "../../../shared/ids/people-ids.ts";
import { audit, auditEntry } from "../audit.ts";
import { body, type ConsoleEnv, json, route } from "./route.ts";

const addOwner = route("POST /api/v1/organizations/{org}/owners", {
  summary: "Give an organization an owner (for the operator)",
  request: { params: z.object({ org: z.string() }), body: body(PostedOwner) },
  responses: {
    200: json("The person had an account, and is an owner now.", Person),
    201: json("An account was made; its person is an owner.", Person),
  },
});

export function ownerRoutes(app: OpenAPIHono<ConsoleEnv>): void {
  app.openapi(addOwner, async (c) => {
    const { email, name, password } = c.req.valid("json");
    const { services, organization } = c.var;
    const told = (userId: string) => audit(services.db, auditEntry(c.var, "owner.add", userId));
    const ownership = (userId: string) =>
      services.db
        .insert(members)
        .values({ organizationId: organization.id, userId, role: "owner" })
        .onConflictDoUpdate({ target: [members.organizationId, members.userId], set: { role: "owner" } });

    const [known] = await services.db
      .select({ id: users.id, email: users.email, name: users.name })
      .from(users)
      .where(eq(users.email, email));
    if (known !== undefined) {
      // Audited once: a local router repeats this call at each start.
      const [isMember] = await services.db
        .select({ role: members.role })
        .from(members)
        .where(and(eq(members.organizationId, organization.id), eq(members.userId, known.id)));
      if (isMember?.role !== "owner") await services.db.batch([ownership(known.id), told(known.id)]);
      return c.json(known, 200);
    }
    const person = { id: newUserId(), email, name };
    await services.db.batch([
      ...newAccount(services.db, person, await hashPassword(password)),
      ownership(person.id),
      told(person.id),
    ]);
    return c.json(person, 201);
  });
}

/** The statements that create an account with a password, in the rows that better-auth writes. */
export function newAccount(db: ConsoleEnv["Variables"]["services"]["db"], person: Person, passwordDigest: string) {
  const account = { id: `acc_${person.id}`, userId: person.id, providerId: "credential", accountId: person.id };
  return [
    db.insert(users).values(person),
    db.insert(accounts).values({ ...account, password: passwordDigest }),
  ] as const;
}
