// Organizations in Postgres. A fault of Postgres is a tagged value here, so that a route can say what to do about it.
import { and, asc, eq, isNull, sql } from "drizzle-orm";
import type { OrganizationSchedule } from "../../../shared/contracts/schedule-book.ts";
import type { Database } from "../../../shared/db/client.ts";
import {
  type ApiKey,
  apiKeys,
  type Environment,
  environments,
  members,
  organizations,
} from "../../../shared/db/schema.ts";
import { audit } from "../audit.ts";
import { type DatabaseFault, databaseFault, violates } from "../database-faults.ts";
import { firstSchedules, schedulesOf } from "./desired-state.ts";

export type KeyRecord = Pick<ApiKey, "id" | "secretVersion" | "scopes" | "expiresAt">;
export type EnvironmentRecord = Pick<Environment, "id" | "slug" | "revision"> &
  Partial<Pick<Environment, "receivesWebhooks" | "receivesSchedules" | "retentionDays" | "historyDays">> & {
    /** The keys that were not revoked, the oldest first. */
    readonly keys: readonly KeyRecord[];
  };

export interface OrganizationRecord {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly environments: readonly EnvironmentRecord[];
  /** None when left out: a new organization has none. */
  readonly schedules?: readonly OrganizationSchedule[];
}

export type Stored<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failed: DatabaseFault };

/** Writes the organization with its environments and keys in one transaction: all of it is there, or nothing. */
export async function insertOrganization(
  db: Database,
  { environments: made, schedules: _none, ...organization }: OrganizationRecord,
  { actor, owner }: { readonly actor: string; readonly owner: string | null },
): Promise<Stored<"inserted" | "slug taken">> {
  const keys = made.flatMap(({ id, keys }) =>
    keys.map((key) => ({ ...key, environmentId: id, name: "default", createdBy: actor })),
  );
  const insert = db.batch([
    db.insert(organizations).values(organization),
    db.insert(environments).values(
      made.map(({ keys: _, ...row }, index) => ({
        ...row,
        organizationId: organization.id,
        // A moment apart, so that they are always listed in this order.
        createdAt: sql`now() + ${index} * interval '1 millisecond'`,
      })),
    ),
    db.insert(apiKeys).values(keys),
    audit(db, { organizationId: organization.id, actor, action: "organization.create", subject: organization.id }),
    ...(owner === null
      ? []
      : [db.insert(members).values({ organizationId: organization.id, userId: owner, role: "owner" })]),
  ]);
  return stored(
    insert.then(
      () => "inserted",
      (error) => {
        if (violates(error, "organizations_slug_unique")) return "slug taken";
        throw error;
      },
    ),
  );
}

/** The organization as it is now, without what was archived or revoked; null when there is none of this slug. */
export function findOrganization(db: Database, slug: string): Promise<Stored<OrganizationRecord | null>> {
  return stored(readOrganization(db, slug));
}

/** One statement, so that a revision is never seen with the keys of another. */
async function readOrganization(db: Database, slug: string): Promise<OrganizationRecord | null> {
  const rows = await db
    .select({ organization: organizations, environment: environments, key: apiKeys, schedules: schedulesOf() })
    .from(organizations)
    .leftJoin(environments, and(eq(environments.organizationId, organizations.id), isNull(environments.archivedAt)))
    .leftJoin(apiKeys, and(eq(apiKeys.environmentId, environments.id), isNull(apiKeys.revokedAt)))
    .where(and(eq(organizations.slug, slug), isNull(organizations.deletedAt)))
    .orderBy(asc(environments.createdAt), asc(environments.id), asc(apiKeys.createdAt), asc(apiKeys.id));
  const organization = rows[0]?.organization;
  if (organization === undefined) return null;
  const found = new Map<string, Environment & { keys: KeyRecord[] }>();
  for (const { environment, key } of rows) {
    if (environment === null) continue;
    const known = found.get(environment.id) ?? { ...environment, keys: [] };
    found.set(environment.id, known);
    if (key !== null) known.keys.push(key);
  }
  return { ...organization, environments: [...found.values()], schedules: firstSchedules(rows) };
}

async function stored<T>(work: Promise<T>): Promise<Stored<T>> {
  try {
    return { ok: true, value: await work };
  } catch (error) {
    const fault = databaseFault(error);
    if (fault === null) throw error;
    return { ok: false, failed: fault };
  }
}
