// The signed-in person and their personal access tokens. Only a session can create a token, so that a stolen token cannot
// create others. The text is in one answer only and stored as a digest.
import type { OpenAPIHono } from "@hono/zod-openapi";
import { and, asc, eq } from "drizzle-orm";
import { z } from "zod";
import { listOf } from "../../../shared/api/pages.ts";
import { NewToken, Person, PostedToken, Token } from "../../../shared/api/people.ts";
import { type AccessToken, accessTokens, users } from "../../../shared/db/schema.ts";
import { digestOfSecret, newTokenId, newTokenText } from "../../../shared/ids/people-ids.ts";
import type { Caller } from "../access/types.ts";
import { needsPerson, needsSession, notFound, unprocessable } from "../refusals.ts";
import { body, type ConsoleEnv, json, route } from "./route.ts";

const showMe = route("GET /api/v1/me", {
  summary: "Who is signed in",
  responses: { 200: json("The person.", Person) },
});
const listTokens = route("GET /api/v1/tokens", {
  summary: "List the personal access tokens of whoever is signed in",
  responses: { 200: json("All of them, the oldest first.", listOf(Token)) },
});
const createToken = route("POST /api/v1/tokens", {
  summary: "Make a personal access token (with a session)",
  request: { body: body(PostedToken) },
  responses: { 201: json("The token, with its text this once.", NewToken) },
});
const deleteToken = route("DELETE /api/v1/tokens/{token}", {
  summary: "Revoke a personal access token",
  request: { params: z.object({ token: z.string() }) },
  responses: { 204: { description: "It is refused from now on." } },
});

export function tokenRoutes(app: OpenAPIHono<ConsoleEnv>): void {
  app.openapi(showMe, async (c) => {
    const { userId } = personOf(c.var.caller);
    const [person] = await c.var.services.db
      .select({ id: users.id, email: users.email, name: users.name })
      .from(users)
      .where(eq(users.id, userId));
    if (person === undefined) throw needsPerson();
    return c.json(person, 200);
  });

  app.openapi(listTokens, async (c) => {
    const { userId } = personOf(c.var.caller);
    const rows = await c.var.services.db
      .select()
      .from(accessTokens)
      .where(eq(accessTokens.userId, userId))
      .orderBy(asc(accessTokens.createdAt), asc(accessTokens.id));
    return c.json({ data: rows.map(tokenAnswer), next: null }, 200);
  });

  app.openapi(createToken, async (c) => {
    const person = personOf(c.var.caller);
    if (person.via !== "session") throw needsSession();
    const { name, expiresAt } = c.req.valid("json");
    const { services } = c.var;
    if (expiresAt !== null && Date.parse(expiresAt) <= services.now())
      throw unprocessable("expiresAt", "must be in the future");
    const text = newTokenText();
    const row = {
      id: newTokenId(),
      userId: person.userId,
      name,
      digest: await digestOfSecret(text),
      createdAt: new Date(services.now()),
      lastUsedAt: null,
      expiresAt: expiresAt === null ? null : new Date(expiresAt),
    };
    await services.db.insert(accessTokens).values(row);
    return c.json({ ...tokenAnswer(row), token: text }, 201);
  });

  app.openapi(deleteToken, async (c) => {
    const { userId } = personOf(c.var.caller);
    const mine = and(eq(accessTokens.id, c.req.valid("param").token), eq(accessTokens.userId, userId));
    const [deleted] = await c.var.services.db.delete(accessTokens).where(mine).returning({ id: accessTokens.id });
    if (deleted === undefined) throw notFound("token");
    return c.body(null, 204);
  });
}

/** The table of rights admits only persons to these routes. */
function personOf(caller: Caller): Extract<Caller, { kind: "person" }> {
  if (caller.kind !== "person") throw needsPerson();
  return caller;
}

function tokenAnswer({ id, name, createdAt, lastUsedAt, expiresAt }: AccessToken): Token {
  return {
    id,
    name,
    createdAt: createdAt.toISOString(),
    lastUsedAt: lastUsedAt?.toISOString() ?? null,
    expiresAt: expiresAt?.toISOString() ?? null,
  };
}
