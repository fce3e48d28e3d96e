// What Postgres, which is the record, wants of an environment's object. Read in one statement, so that a revision is
// never seen with the keys of another.
import { and, asc, eq, isNull, sql } from "drizzle-orm";
import type { EnvironmentState } from "../../../shared/contracts/environment.ts";
import type { OrganizationSchedule } from "../../../shared/contracts/schedule-book.ts";
import type { Database } from "../../../shared/db/client.ts";
import { apiKeys, environments, organizations, schedules } from "../../../shared/db/schema.ts";

export type Desired =
  | { readonly kind: "provisioned"; readonly state: EnvironmentState }
  /** Its organization is being deleted. */
  | { readonly kind: "deleted"; readonly organizationId: string; readonly revision: number };

/** Null when nothing is known of the environment: its creation was never committed, or it was deleted for good. */
export async function readDesired(db: Database, environmentId: string): Promise<Desired | null> {
  const rows = await db
    .select({ environment: environments, organization: organizations, key: apiKeys, schedules: schedulesOf() })
    .from(environments)
    .innerJoin(organizations, eq(organizations.id, environments.organizationId))
    .leftJoin(apiKeys, and(eq(apiKeys.environmentId, environments.id), isNull(apiKeys.revokedAt)))
    .where(eq(environments.id, environmentId))
    .orderBy(asc(apiKeys.id));
  const [first] = rows;
  if (first === undefined) return null;
  const { environment, organization } = first;
  const { revision } = environment;
  if (organization.deletedAt !== null) return { kind: "deleted", organizationId: organization.id, revision };
  const archived = environment.archivedAt !== null;
  const keys = rows.flatMap(({ key }) => (key === null || archived ? [] : [key]));
  return {
    kind: "provisioned",
    state: {
      revision,
      organization: { id: organization.id, slug: organization.slug },
      environment: { id: environment.id, slug: environment.slug },
      keys: keys.map(({ id, scopes, expiresAt }) => ({ id, scopes, expiresAt: expiresAt?.getTime() ?? null })),
      receives: {
        webhooks: environment.receivesWebhooks && !archived,
        schedules: environment.receivesSchedules && !archived,
      },
      retention: { days: environment.retentionDays, historyDays: environment.historyDays },
      schedules: archived ? [] : firstSchedules(rows),
    },
  };
}

/**
 * The schedules of the organization, as a column: in one row of each environment, and null in those of its other keys.
 * They may be megabytes, which many keys must not multiply.
 */
export function schedulesOf() {
  const first = sql`row_number() over (partition by ${environments.id} order by ${apiKeys.id}) = 1`;
  return sql<OrganizationSchedule[] | null>`case when ${first} then (
    select coalesce(json_agg(json_build_object('id', ${schedules.id}, 'name', ${schedules.name},
      'cron', ${schedules.cron}, 'timezone', ${schedules.timezone}, 'event', ${schedules.event},
      'payload', ${schedules.payload}, 'enabled', ${schedules.enabled}) order by ${schedules.id}), '[]'::json)
    from ${schedules} where ${schedules.organizationId} = ${organizations.id}) end`.as("schedules_of");
}

export function firstSchedules(rows: readonly { schedules: OrganizationSchedule[] | null }[]): OrganizationSchedule[] {
  return rows.find(({ schedules }) => schedules !== null)?.schedules ?? [];
}

/** Notes what the object has. Never goes back, since pushes may overtake each other. */
export async function recordPushed(db: Database, environmentId: string, revision: number): Promise<void> {
  await db
    .update(environments)
    .set({ pushedRevision: sql`greatest(${environments.pushedRevision}, ${revision})` })
    .where(eq(environments.id, environmentId));
}
