// Organizations in Postgres: the real OrganizationRecords.
import { and, asc, eq, isNull, sql } from "drizzle-orm";
import type { Database } from "../../../shared/db/client.ts";
import { apiKeys, environments, members, organizations } from "../../../shared/db/schema.ts";
import { audit } from "../audit.ts";
import { violates } from "../database-faults.ts";
import { type CreatedBy, type OrganizationRecord, SlugTaken } from "./ports.ts";

export async function insertOrganization(
  db: Database,
  { environments: added, ...organization }: OrganizationRecord,
  { actor, owner }: CreatedBy,
): Promise<void> {
  const keys = added.flatMap(({ id, keys }) =>
    keys.map((key) => ({ ...key, environmentId: id, name: "default", createdBy: actor })),
  );
  const insert = db.batch([
    db.insert(organizations).values(organization),
    db.insert(environments).values(
      added.map(({ id, slug }, index) => ({
        id,
        slug,
        organizationId: organization.id,
        // One millisecond apart, so that lists always have them in this order.
        createdAt: sql`now() + ${index} * interval '1 millisecond'`,
      })),
    ),
    db.insert(apiKeys).values(keys),
    audit(db, { organizationId: organization.id, actor, action: "organization.create", subject: organization.id }),
    ...(owner === null
      ? []
      : [db.insert(members).values({ organizationId: organization.id, userId: owner, role: "owner" })]),
  ]);
  await insert.catch((error: unknown) => {
    throw violates(error, "organizations_slug_unique") ? new SlugTaken() : error;
  });
}

export async function findOrganization(db: Database, slug: string): Promise<OrganizationRecord | null> {
  const rows = await db
    .select({ organization: organizations, environment: environments, key: apiKeys })
    .from(organizations)
    .leftJoin(environments, and(eq(environments.organizationId, organizations.id), isNull(environments.archivedAt)))
    .leftJoin(apiKeys, and(eq(apiKeys.environmentId, environments.id), isNull(apiKeys.revokedAt)))
    .where(and(eq(organizations.slug, slug), isNull(organizations.deletedAt)))
    .orderBy(asc(environments.createdAt), asc(environments.id), asc(apiKeys.createdAt), asc(apiKeys.id));
  const organization = rows[0]?.organization;
  if (organization === undefined) return null;
  const found = new Map<string, { id: string; slug: string; keys: { id: string; secretVersion: number }[] }>();
  for (const { environment, key } of rows) {
    if (environment === null) continue;
    const known = found.get(environment.id) ?? { id: environment.id, slug: environment.slug, keys: [] };
    found.set(environment.id, known);
    if (key !== null) known.keys.push({ id: key.id, secretVersion: key.secretVersion });
  }
  return { id: organization.id, slug: organization.slug, name: organization.name, environments: [...found.values()] };
}
