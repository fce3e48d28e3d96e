// The API keys of an environment: list, create, show, change, rotate, revoke. No store has a key's text; it is derived anew
// for an admin. Each change is answered after the environment has confirmed it.
import type { OpenAPIHono } from "@hono/zod-openapi";
import { and, desc, eq, isNull, sql } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import { z } from "zod";
import type { AuditAction } from "../../../shared/api/audit.ts";
import {
  Key,
  KeyText,
  KeyWithText,
  PatchedKey,
  PostedKey,
  PostedRotation,
  Rotated,
  type Scopes,
} from "../../../shared/api/environments.ts";
import { listOf, PageQuery, pageOf } from "../../../shared/api/pages.ts";
import type { KeyScope } from "../../../shared/contracts/environment.ts";
import { type ApiKey, apiKeys, environments } from "../../../shared/db/schema.ts";
import { newKeyId } from "../../../shared/ids/ids.ts";
import { actorOf } from "../access/caller.ts";
import type { EnvironmentAccess } from "../access/types.ts";
import { audit, auditEntry } from "../audit.ts";
import { changeEnvironments } from "../change-environments.ts";
import type { ConsoleServices } from "../control/ports.ts";
import { afterCursor } from "../keyset.ts";
import { conflict, notFound, unprocessable } from "../refusals.ts";
import { body, type ConsoleEnv, json, route } from "./route.ts";

const env = z.object({ org: z.string(), env: z.string() });
const one = z.object({ org: z.string(), env: z.string(), key: z.string() });
const DAY_MS = 24 * 3_600_000;

const list = route("GET /api/v1/organizations/{org}/environments/{env}/keys", {
  summary: "List keys, also those that were revoked or have expired",
  request: { params: env, query: PageQuery },
  responses: { 200: json("The newest first.", listOf(Key)) },
});
const create = route("POST /api/v1/organizations/{org}/environments/{env}/keys", {
  summary: "Make a key",
  request: { params: env, body: body(PostedKey) },
  responses: { 201: json("The key works.", KeyWithText) },
});
const show = route("GET /api/v1/organizations/{org}/environments/{env}/keys/{key}", {
  summary: "Show what is known of a key, and when it was last used",
  request: { params: one },
  responses: { 200: json("The key, without its text.", Key) },
});
const change = route("PATCH /api/v1/organizations/{org}/environments/{env}/keys/{key}", {
  summary: "Rename a key, change its scopes or its end",
  request: { params: one, body: body(PatchedKey) },
  responses: { 200: json("It is in force.", Key) },
});
const revoke = route("DELETE /api/v1/organizations/{org}/environments/{env}/keys/{key}", {
  summary: "Revoke a key: it is refused, and its connections are closed",
  request: { params: one },
  responses: { 204: { description: "It is in force." } },
});
const showText = route("POST /api/v1/organizations/{org}/environments/{env}/keys/{key}/show", {
  summary: "Show a key's text again",
  request: { params: one },
  responses: { 200: json("The text.", KeyText) },
});
const rotate = route("POST /api/v1/organizations/{org}/environments/{env}/keys/{key}/rotate", {
  summary: "Make a key in place of another, which goes on for a while",
  request: { params: one, body: body(PostedRotation) },
  responses: { 201: json("The new key works; the old one ends when it says.", Rotated) },
});

export function keyRoutes(app: OpenAPIHono<ConsoleEnv>): void {
  app.openapi(list, async (c) => {
    const { services, environment } = c.var;
    const { limit, cursor } = c.req.valid("query");
    const [rows, uses] = await Promise.all([
      services.db
        .select()
        .from(apiKeys)
        .where(and(eq(apiKeys.environmentId, environment.id), afterCursor(apiKeys, apiKeys, cursor, "newest first")))
        .orderBy(desc(apiKeys.createdAt), desc(apiKeys.id))
        .limit(limit + 1),
      services.objects.keyUses(environment.id),
    ]);
    const answer = (key: ApiKey) => keyAnswer(key, uses[key.id]);
    return c.json(pageOf(rows, limit, { answer, cursor: ({ id }) => id }), 200);
  });

  app.openapi(create, async (c) => {
    const { services, environment, caller } = c.var;
    const { name, scopes, expiresAt } = c.req.valid("json");
    const key = await newKey(services, environment, {
      name,
      scopes: storedScopes(scopes),
      expiresAt: futureTime(services, expiresAt),
      createdBy: actorOf(caller),
    });
    await changeKey(c.var, key.id, "key.create", [services.db.insert(apiKeys).values(key)]);
    return c.json({ ...keyAnswer(key, undefined), key: await textOf(services, environment, key) }, 201);
  });

  app.openapi(show, async (c) => {
    const { services, environment } = c.var;
    const key = await readKey(services, environment, c.req.valid("param").key);
    const uses = await services.objects.keyUses(environment.id);
    return c.json(keyAnswer(key, uses[key.id]), 200);
  });

  app.openapi(change, async (c) => {
    const { services, environment } = c.var;
    const { name, scopes, expiresAt } = c.req.valid("json");
    const key = await readKey(services, environment, c.req.valid("param").key);
    mustBeActive(services, key);
    const patch = {
      ...(name !== undefined && { name }),
      ...(scopes !== undefined && { scopes: storedScopes(scopes) }),
      ...(expiresAt !== undefined && { expiresAt: futureTime(services, expiresAt) }),
    };
    await changeKey(c.var, key.id, "key.change", [
      services.db.update(apiKeys).set(patch).where(eq(apiKeys.id, key.id)),
    ]);
    const uses = await services.objects.keyUses(environment.id);
    return c.json(keyAnswer({ ...key, ...patch }, uses[key.id]), 200);
  });

  app.openapi(revoke, async (c) => {
    const { services, environment } = c.var;
    const key = await readKey(services, environment, c.req.valid("param").key);
    // Repeated for a revoked key: the revocation may not be in force yet.
    const active = and(eq(apiKeys.id, key.id), isNull(apiKeys.revokedAt));
    await changeKey(c.var, key.id, "key.revoke", [
      services.db
        .update(apiKeys)
        .set({ revokedAt: new Date(services.now()) })
        .where(active),
    ]);
    return c.body(null, 204);
  });

  app.openapi(showText, async (c) => {
    const { services, environment } = c.var;
    const key = await readKey(services, environment, c.req.valid("param").key);
    mustBeActive(services, key);
    await audit(services.db, auditEntry(c.var, "key.show", key.id));
    return c.json({ key: await textOf(services, environment, key) }, 200);
  });

  app.openapi(rotate, async (c) => {
    const { services, environment, caller } = c.var;
    const { overlapDays, expiresAt } = c.req.valid("json");
    const old = await readKey(services, environment, c.req.valid("param").key);
    mustBeActive(services, old);
    if (old.replacedBy !== null) throw conflict("This key was already rotated. Rotate its replacement.");
    const { name, scopes } = old;
    const end = futureTime(services, expiresAt);
    const key = await newKey(services, environment, { name, scopes, expiresAt: end, createdBy: actorOf(caller) });
    const ends = endOfOverlap(old.expiresAt, overlapDays, services.now());
    await changeKey(c.var, old.id, "key.rotate", [
      services.db.insert(apiKeys).values(key),
      services.db
        .update(apiKeys)
        .set({ ...ends, replacedBy: key.id })
        .where(eq(apiKeys.id, old.id)),
    ]);
    const uses = await services.objects.keyUses(environment.id);
    const replaced = keyAnswer({ ...old, ...ends, replacedBy: key.id }, uses[old.id]);
    const text = await textOf(services, environment, key);
    return c.json({ key: { ...keyAnswer(key, undefined), key: text }, replaced }, 201);
  });
}

/** Changes a key, raises the environment's revision and writes the audit entry in one transaction. */
async function changeKey(
  variables: ConsoleEnv["Variables"],
  subject: string,
  action: AuditAction,
  statements: BatchItem<"pg">[],
): Promise<void> {
  const { services, environment } = variables;
  const { db } = services;
  const raised = db
    .update(environments)
    .set({ revision: sql`${environments.revision} + 1` })
    .where(eq(environments.id, environment.id));
  await changeEnvironments(services, [environment.id], () =>
    db.batch([raised, audit(db, auditEntry(variables, action, subject)), ...statements]),
  );
}

async function readKey({ db }: ConsoleServices, environment: EnvironmentAccess, id: string): Promise<ApiKey> {
  const [key] = await db
    .select()
    .from(apiKeys)
    .where(and(eq(apiKeys.id, id), eq(apiKeys.environmentId, environment.id)));
  if (key === undefined) throw notFound("API key");
  return key;
}

async function newKey(
  services: ConsoleServices,
  environment: EnvironmentAccess,
  given: Pick<ApiKey, "name" | "scopes" | "expiresAt" | "createdBy">,
): Promise<ApiKey> {
  return {
    ...given,
    id: newKeyId(),
    environmentId: environment.id,
    secretVersion: await services.currentSecretVersion(),
    createdAt: new Date(services.now()),
    revokedAt: null,
    replacedBy: null,
  };
}

function textOf(
  services: ConsoleServices,
  environment: EnvironmentAccess,
  { id, secretVersion }: ApiKey,
): Promise<string> {
  return services.keyText({
    environmentId: environment.id,
    environmentSlug: environment.slug,
    keyId: id,
    secretVersion,
  });
}

function mustBeActive(services: ConsoleServices, key: ApiKey): void {
  if (key.revokedAt !== null) throw conflict("This key was revoked. Create a new one.");
  if (key.expiresAt !== null && key.expiresAt.getTime() <= services.now()) {
    throw conflict("This key has expired. Create a new one.");
  }
}

function futureTime(services: ConsoleServices, text: string | null): Date | null {
  if (text === null) return null;
  if (Date.parse(text) <= services.now())
    throw unprocessable("expiresAt", "must be in the future; to end a key now, revoke it");
  return new Date(text);
}

/** End of a rotated key: at once without an overlap, and never later than its own expiry. */
export function endOfOverlap(
  expiresAt: Date | null,
  overlapDays: number,
  now: number,
): { revokedAt: Date } | { expiresAt: Date } {
  if (overlapDays === 0) return { revokedAt: new Date(now) };
  return {
    expiresAt: new Date(Math.min(expiresAt?.getTime() ?? Number.POSITIVE_INFINITY, now + overlapDays * DAY_MS)),
  };
}

/** In the stores an empty list means every scope; the API rejects one. */
function storedScopes(scopes: Scopes): KeyScope[] {
  return scopes === "all" ? [] : [...new Set(scopes)];
}

function keyAnswer(key: ApiKey, usedAt: number | undefined): Key {
  const { id, name, scopes, createdBy, createdAt, expiresAt, revokedAt, replacedBy } = key;
  return {
    id,
    name,
    scopes: scopes.length === 0 ? "all" : scopes,
    createdBy,
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt?.toISOString() ?? null,
    revokedAt: revokedAt?.toISOString() ?? null,
    replacedBy,
    lastUsedAt: usedAt === undefined ? null : new Date(usedAt).toISOString(),
  };
}
