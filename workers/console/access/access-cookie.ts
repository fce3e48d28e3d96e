// What a person may do in an organization, kept in a signed cookie of five minutes, so that a page that stays open reads
// from the environments' objects without waking Postgres. Only such reads believe it; changes always ask Postgres. So a
// member who was removed may go on reading for five minutes in a browser, and changes nothing.
import type { Context } from "hono";
import { getSignedCookie, setSignedCookie } from "hono/cookie";
import { z } from "zod";
import { ROLES } from "../../../shared/api/roles.ts";
import { COOKIE_CACHE_S, needsSecureCookies, sessionSecret } from "./better-auth.ts";
import type { ConsoleEnv, OrganizationAccess } from "./types.ts";

const NAME = "switchyard.access";
/** A browser keeps 4 KiB; an organization with more environments than fit is asked for every time. */
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

/** Null when there is none for this person and organization, or it is too old, or it is not ours. */
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

/** Sent with requests about this organization only. */
export async function setAccessCookie(
  c: Context<ConsoleEnv>,
  { userId, organization, now }: { userId: string; organization: OrganizationAccess; now: number },
): Promise<void> {
  // While a push is owed, every request may make up for it.
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

/** Not the secret that sessions are signed with: one cookie can never pass for the other. */
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
