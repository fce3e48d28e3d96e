// Sign-in of people, by better-auth over our tables. There is no open sign-up: the operator creates an account, or an
// invitation is accepted. GitHub creates an account only for an email address with an open invitation.

import { drizzleAdapter } from "better-auth/adapters/drizzle";
import { betterAuth } from "better-auth/minimal";
import { oneTimeToken } from "better-auth/plugins/one-time-token";
import { and, eq, gt, isNull } from "drizzle-orm";
import type { Database } from "../../../shared/db/client.ts";
import { accounts, invitations, sessions, users, verifications } from "../../../shared/db/schema.ts";
import { encodeBase62 } from "../../../shared/ids/base62.ts";
import { newUserId } from "../../../shared/ids/people-ids.ts";
import { type Env, keySecrets, parseSignInSettings } from "../../env.ts";

export const AUTH_PATH = "/api/auth";
export const PASSWORD_MIN_CHARS = 8;
export const PASSWORD_MAX_CHARS = 128;
/** Seconds for which a session is trusted without asking Postgres, so that an open page does not keep it awake. */
export const COOKIE_CACHE_S = 300;
/** Enough time to open a link from a terminal. */
const ONE_TIME_TOKEN_MINUTES = 30;
const SESSION_S = 7 * 24 * 3600;
/** Age at which a session in use is extended: one write a day. */
const SESSION_RENEWED_AFTER_S = 24 * 3600;
/** Separates the secret of sessions from every other secret derived from the deployment's. */
const PURPOSE = new TextEncoder().encode("switchyard-sessions");
const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

export type Auth = Awaited<ReturnType<typeof createAuth>>;

/** For one request. Only pages of `origin`, the origin of the request's URL, may use the cookies. */
export async function createAuth(env: Env, db: Database, origin: string) {
  const { github } = parseSignInSettings(env);
  return betterAuth({
    baseURL: origin,
    basePath: AUTH_PATH,
    secret: await sessionSecret(env),
    trustedOrigins: [origin],
    database: drizzleAdapter(db, {
      provider: "pg",
      usePlural: true,
      transaction: false,
      schema: { users, sessions, accounts, verifications },
    }),
    emailAndPassword: {
      enabled: true,
      disableSignUp: true,
      minPasswordLength: PASSWORD_MIN_CHARS,
      maxPasswordLength: PASSWORD_MAX_CHARS,
    },
    ...(github && { socialProviders: { github } }),
    account: { encryptOAuthTokens: true },
    session: {
      expiresIn: SESSION_S,
      updateAge: SESSION_RENEWED_AFTER_S,
      cookieCache: { enabled: true, maxAge: COOKIE_CACHE_S },
    },
    // A link that signs in one browser once; a local start prints it.
    plugins: [oneTimeToken({ expiresIn: ONE_TIME_TOKEN_MINUTES, storeToken: "hashed" })],
    databaseHooks: {
      user: { create: { before: async ({ email }) => isInvited(db, email) } },
    },
    advanced: {
      cookiePrefix: "switchyard",
      useSecureCookies: needsSecureCookies(origin),
      database: { generateId: ({ model }) => (model === "user" ? newUserId() : randomId()) },
      ipAddress: { ipAddressHeaders: ["cf-connecting-ip"] },
    },
    // The platform counts, see workers/platform/rate-limits.ts.
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    // Its log lines contain email addresses. The router logs each request with its status.
    logger: { disabled: true },
    onAPIError: { throw: true },
  });
}

/** Over plain HTTP, only some browsers accept Secure cookies, and only from loopback. */
export function needsSecureCookies(origin: string): boolean {
  const { protocol, hostname } = new URL(origin);
  return protocol === "https:" || !LOOPBACK.has(hostname);
}

async function isInvited(db: Database, email: string): Promise<boolean> {
  const open = and(
    eq(invitations.email, email.toLowerCase()),
    isNull(invitations.acceptedAt),
    isNull(invitations.revokedAt),
    gt(invitations.expiresAt, new Date()),
  );
  const [found] = await db.select({ id: invitations.id }).from(invitations).where(open).limit(1);
  return found !== undefined;
}

/** Derived from the deployment's current key secret, so that no other secret is needed. A new key secret ends every session. */
export async function sessionSecret(env: Env): Promise<string> {
  const { current, byVersion } = await keySecrets(env);
  const secret = byVersion.get(current);
  if (secret === undefined) throw new Error("the current secret is missing");
  return encodeBase62(new Uint8Array(await crypto.subtle.sign("HMAC", secret, PURPOSE)));
}

function randomId(): string {
  return encodeBase62(crypto.getRandomValues(new Uint8Array(16)));
}
