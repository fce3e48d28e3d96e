// Organizations on the wire of the management API: what is posted to make one, and what is answered.
import { z } from "zod";
import { PersonName } from "./people.ts";

/** Bytes of a body that makes an organization; names are short. Enforced by the console before it parses. */
export const ORGANIZATION_BODY_MAX_BYTES = 16 * 1024;
const SLUG_MAX_CHARS = 48;
const SLUG = /^[a-z0-9-]{1,48}$/;

export const OrganizationSlug = z
  .string("a slug is text")
  .regex(SLUG, "a slug has 1 to 48 characters: a to z, 0 to 9 and hyphens");

/** `POST /api/v1/organizations`. Without a slug one is made from the name, and a name that gives none is refused. */
export const PostedOrganization = z
  .strictObject({ name: PersonName, slug: OrganizationSlug.optional() }, { error: describeObject })
  .transform(({ name, slug }) => ({ name, slug: slug ?? slugOf(name) }))
  .refine(({ slug }) => slug !== "", { path: ["slug"], error: "no slug can be made from this name: give one" });
export type PostedOrganization = z.infer<typeof PostedOrganization>;

const EnvironmentAnswer = z.object({
  id: z.string(),
  slug: z.string(),
  /** The text of the environment's oldest active key; null when it has none. */
  key: z.string().nullable(),
});

/** What both routes answer: the organization with its environments by their slug. */
export const OrganizationAnswer = z.object({
  id: z.string(),
  slug: z.string(),
  name: z.string(),
  environments: z.record(z.string(), EnvironmentAnswer),
});
export type OrganizationAnswer = z.infer<typeof OrganizationAnswer>;

/** `Café Zürich, Ltd.` → `cafe-zurich-ltd`. Empty when nothing is left. */
export function slugOf(name: string): string {
  const plain = name.normalize("NFKD").replace(/\p{Mark}/gu, "");
  const words = plain.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return words.join("-").slice(0, SLUG_MAX_CHARS).replace(/-$/, "");
}

function describeObject(issue: { readonly code: string }): string {
  return issue.code === "unrecognized_keys" ? "only name and slug are known" : "send an object with name and slug";
}
