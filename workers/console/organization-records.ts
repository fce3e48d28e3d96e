// Organizations in Postgres. A fault of Postgres is a tagged value here, so that a route can say what to do about it.
import { NeonDbError } from "@neondatabase/serverless";
import { and, asc, eq, isNull } from "drizzle-orm";
import type { Database } from "../../shared/db/client.ts";
import { type ApiKey, apiKeys, type Environment, environments, organizations } from "../../shared/db/schema.ts";

export type KeyRecord = Pick<ApiKey, "id" | "secretVersion" | "scopes" | "expiresAt">;
export type EnvironmentRecord = Pick<Environment, "id" | "slug" | "revision"> & {
  /** The keys that were not revoked, the oldest first. */
  readonly keys: readonly KeyRecord[];
};

export interface OrganizationRecord {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly environments: readonly EnvironmentRecord[];
}

/** Why Postgres did not answer: it is away, it refuses the credentials or the database, or it has no tables yet. */
export type DatabaseFault = "unreachable" | "refused" | "not migrated";
export type Stored<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failed: DatabaseFault };

/** Writes the organization with its environments and keys in one transaction: all of it is there, or nothing. */
export async function insertOrganization(
  db: Database,
  { environments: made, ...organization }: OrganizationRecord,
): Promise<Stored<"inserted" | "slug taken">> {
  const keys = made.flatMap(({ id, keys }) => keys.map((key) => ({ ...key, environmentId: id, name: "default" })));
  const insert = db.batch([
    db.insert(organizations).values(organization),
    db.insert(environments).values(made.map(({ keys: _, ...row }) => ({ ...row, organizationId: organization.id }))),
    db.insert(apiKeys).values(keys),
  ]);
  return stored(
    insert.then(
      () => "inserted",
      (error) => {
        if (databaseError(error)?.constraint === "organizations_slug_unique") return "slug taken";
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
    .select({ organization: organizations, environment: environments, key: apiKeys })
    .from(organizations)
    .leftJoin(environments, and(eq(environments.organizationId, organizations.id), isNull(environments.archivedAt)))
    .leftJoin(apiKeys, and(eq(apiKeys.environmentId, environments.id), isNull(apiKeys.revokedAt)))
    .where(eq(organizations.slug, slug))
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
  return { ...organization, environments: [...found.values()] };
}

async function stored<T>(work: Promise<T>): Promise<Stored<T>> {
  try {
    return { ok: true, value: await work };
  } catch (error) {
    const fault = databaseFault(databaseError(error));
    if (fault === null) throw error;
    return { ok: false, failed: fault };
  }
}

/** The driver's error inside what drizzle wraps around it. */
function databaseError(error: unknown): NeonDbError | null {
  if (error instanceof NeonDbError) return error;
  return error instanceof Error && error.cause !== undefined ? databaseError(error.cause) : null;
}

/** By SQLSTATE, https://www.postgresql.org/docs/current/errcodes-appendix.html; without one Postgres was not reached. */
function databaseFault(error: NeonDbError | null): DatabaseFault | null {
  if (error === null) return null;
  const code = error.code ?? "08000";
  if (code === "42P01" || code === "42703") return "not migrated";
  if (code.startsWith("28") || code.startsWith("3D")) return "refused";
  return ["08", "53", "57", "58"].includes(code.slice(0, 2)) ? "unreachable" : null;
}
