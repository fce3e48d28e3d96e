// Sign-in of people, by better-auth over our tables. Nobody can sign up by themselves: an account is made by the
// operator or by accepting an invitation, and a GitHub account only for an address that has an open invitation.

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
/** How long a session is believed without asking Postgres, so that an open page does not keep it awake. */
export const COOKIE_CACHE_S = 300;
/** Long enough to open a link that a terminal printed. */
const ONE_TIME_TOKEN_MINUTES = 30;
const SESSION_S = 7 * 24 * 3600;
/** How old a session may become before its end is moved: one write a day. */
const SESSION_RENEWED_AFTER_S = 24 * 3600;
/** Separates this secret from every other use of the deployment's. */
const PURPOSE = new TextEncoder().encode("switchyard-sessions");
const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

export type Auth = Awaited<ReturnType<typeof createAuth>>;

/** For one request: `origin` is that of its address, which is the only one whose pages may use the cookies. */
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
    // A link that signs in one browser, once: what a local start prints.
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
    // The platform counts, see ../../rate-limits.ts.
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    // It would log addresses of people; the request's line in our log has the status.
    logger: { disabled: true },
    onAPIError: { throw: true },
  });
}

/** Browsers keep a Secure cookie of plain HTTP only for loopback, and not all of them do. */
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

/** Derived from the deployment's current key secret: one secret less to keep. A new one ends every session. */
export async function sessionSecret(env: Env): Promise<string> {
  const { current, byVersion } = await keySecrets(env);
  const secret = byVersion.get(current);
  if (secret === undefined) throw new Error("the current secret is missing");
  return encodeBase62(new Uint8Array(await crypto.subtle.sign("HMAC", secret, PURPOSE)));
}

function randomId(): string {
  return encodeBase62(crypto.getRandomValues(new Uint8Array(16)));
}
