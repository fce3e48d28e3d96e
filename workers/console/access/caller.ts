// Identifies the caller of the management API: the operator by the deployment's SETUP_TOKEN, a program by a person's
// access token, a browser by a session. Every bad credential is null, so that all of them get the same answer.
import { and, eq, gt, isNull, lt, or } from "drizzle-orm";
import { accessTokens, users } from "../../../shared/db/schema.ts";
import { bearerToken } from "../../../shared/ids/keys.ts";
import { digestOfSecret } from "../../../shared/ids/people-ids.ts";
import { sameText } from "../../../shared/kernel/same-text.ts";
import { type Env, parseSetupSettings } from "../../env.ts";
import type { ConsoleServices } from "../control/ports.ts";
import { createAuth } from "./better-auth.ts";
import type { Caller } from "./types.ts";

/** The caller's name in the audit log. */
export const actorOf = (caller: Caller): string => (caller.kind === "operator" ? "operator" : caller.userId);

export interface Identified {
  readonly caller: Caller;
  /** Cookies to set with the answer. */
  readonly cookies: readonly string[];
}

const TOKEN_TEXT = /^pat_[0-9A-Za-z]{43}$/;
const MINUTE_MS = 60_000;

/** An Authorization header takes precedence over cookies. With `fresh`, a session is always checked in Postgres. */
export async function identify(
  services: ConsoleServices,
  env: Env,
  request: Request,
  fresh: boolean,
): Promise<Identified | null> {
  const authorization = request.headers.get("authorization");
  if (authorization === null) return fromSession(services, env, request, fresh);
  const token = bearerToken(authorization);
  if (token === null) return null;
  if (TOKEN_TEXT.test(token)) return fromToken(services, token);
  const { SETUP_TOKEN } = parseSetupSettings(env);
  if (SETUP_TOKEN === undefined || !(await sameText(token, SETUP_TOKEN))) return null;
  return { caller: { kind: "operator" }, cookies: [] };
}

async function fromToken(services: ConsoleServices, text: string): Promise<Identified | null> {
  const { db } = services;
  const now = new Date(services.now());
  const minute = new Date(Math.floor(services.now() / MINUTE_MS) * MINUTE_MS);
  const [found] = await db
    .select({ id: accessTokens.id, lastUsedAt: accessTokens.lastUsedAt, userId: users.id, email: users.email })
    .from(accessTokens)
    .innerJoin(users, eq(users.id, accessTokens.userId))
    .where(
      and(
        eq(accessTokens.digest, await digestOfSecret(text)),
        or(isNull(accessTokens.expiresAt), gt(accessTokens.expiresAt, now)),
      ),
    );
  if (found === undefined) return null;
  if (found.lastUsedAt === null || found.lastUsedAt < minute) {
    const older = or(isNull(accessTokens.lastUsedAt), lt(accessTokens.lastUsedAt, minute));
    const used = db
      .update(accessTokens)
      .set({ lastUsedAt: minute })
      .where(and(eq(accessTokens.id, found.id), older));
    services.afterwards(used.then(() => undefined));
  }
  return { caller: { kind: "person", via: "token", userId: found.userId, email: found.email }, cookies: [] };
}

async function fromSession(
  services: ConsoleServices,
  env: Env,
  request: Request,
  fresh: boolean,
): Promise<Identified | null> {
  // No session without this cookie: Postgres need not be asked.
  if (!request.headers.get("cookie")?.includes("switchyard.session_token=")) return null;
  const auth = await createAuth(env, services.db, new URL(request.url).origin);
  const { response, headers } = await auth.api.getSession({
    headers: request.headers,
    query: { disableCookieCache: fresh },
    returnHeaders: true,
  });
  if (response === null) return null;
  const { id: userId, email } = response.user;
  return { caller: { kind: "person", via: "session", userId, email }, cookies: headers.getSetCookie() };
}
