// A signed cookie with a person's access to an organization, valid for five minutes. An open page reads with it from the
// environments' objects without waking Postgres. Only such reads trust the cookie; every change asks Postgres. A removed
// member can therefore read in a browser for up to five minutes, but change nothing.
import type { Context } from "hono";
import { getSignedCookie, setSignedCookie } from "hono/cookie";
import { z } from "zod";
import { ROLES } from "../../../shared/api/roles.ts";
import { COOKIE_CACHE_S, needsSecureCookies, sessionSecret } from "./better-auth.ts";
import type { ConsoleEnv, OrganizationAccess } from "./types.ts";

const NAME = "switchyard.access";
/** A browser stores 4 KiB. An organization whose environments do not fit gets no cookie: each read asks Postgres. */
const VALUE_MAX_CHARS = 3_000;

const Kept = z.object({
  userId: z.string(),
  expiresAt: z.number(),
  organization: z.object({
    id: z.string(),
    slug: z.string(),
    role: z.enum(ROLES),
    environments: z.array(z.object({ id: z.string(), slug: z.string(), behind: z.literal(false) })),
  }),
});

/** Null if the cookie is missing, forged, expired, or of another person or organization. */
export async function readAccessCookie(
  c: Context<ConsoleEnv>,
  { userId, slug, now }: { userId: string; slug: string; now: number },
): Promise<OrganizationAccess | null> {
  const text = await getSignedCookie(c, await secretOf(c), NAME);
  if (typeof text !== "string") return null;
  const kept = Kept.safeParse(parseJson(text));
  if (!kept.success || kept.data.userId !== userId || kept.data.expiresAt <= now) return null;
  return kept.data.organization.slug === slug ? kept.data.organization : null;
}

/** Sets the cookie for requests about this organization only. */
export async function setAccessCookie(
  c: Context<ConsoleEnv>,
  { userId, organization, now }: { userId: string; organization: OrganizationAccess; now: number },
): Promise<void> {
  // While an environment is behind, each request must ask Postgres, because it repeats the push; see authorize.ts.
  if (organization.environments.some(({ behind }) => behind)) return;
  const value = JSON.stringify({ userId, expiresAt: now + COOKIE_CACHE_S * 1000, organization });
  if (encodeURIComponent(value).length > VALUE_MAX_CHARS) return;
  await setSignedCookie(c, NAME, value, await secretOf(c), {
    path: `/api/v1/organizations/${organization.slug}`,
    maxAge: COOKIE_CACHE_S,
    httpOnly: true,
    sameSite: "Lax",
    secure: needsSecureCookies(new URL(c.req.url).origin),
  });
}

/** Differs from the secret of sessions, so that neither cookie can be used as the other. */
async function secretOf(c: Context<ConsoleEnv>): Promise<string> {
  return `access ${await sessionSecret(c.env)}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
