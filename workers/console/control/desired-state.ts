// The state that Postgres wants an environment's object to have. The only place that turns rows into an EnvironmentState.
import { and, asc, eq, isNull, sql } from "drizzle-orm";
import type { OrganizationSchedule } from "../../../shared/contracts/schedule-book.ts";
import type { Database } from "../../../shared/db/client.ts";
import {
  type ApiKey,
  apiKeys,
  type Environment,
  environments,
  organizations,
  schedules,
} from "../../../shared/db/schema.ts";
import type { DesiredState } from "./ports.ts";

/** A row of an environment and one of its active keys; an environment without keys has one row. */
export interface DesiredRow {
  readonly environment: Environment;
  readonly organization: Pick<typeof organizations.$inferSelect, "id" | "slug" | "deletedAt">;
  readonly key: Pick<ApiKey, "id" | "scopes" | "expiresAt"> | null;
  /** The organization's schedules in the environment's first row, null in the others. */
  readonly schedules: OrganizationSchedule[] | null;
}

/** Reads in one statement, so that a revision never comes with the keys of another. */
export async function readDesired(db: Database, environmentId: string): Promise<DesiredState | null> {
  const rows = await db
    .select({
      environment: environments,
      organization: organizations,
      key: apiKeys,
      schedules: organizationSchedules(),
    })
    .from(environments)
    .innerJoin(organizations, eq(organizations.id, environments.organizationId))
    .leftJoin(apiKeys, and(eq(apiKeys.environmentId, environments.id), isNull(apiKeys.revokedAt)))
    .where(eq(environments.id, environmentId))
    .orderBy(asc(apiKeys.id));
  return desiredState(rows);
}

/** A closed environment has no keys and receives nothing. Null without rows. */
export function desiredState(rows: readonly DesiredRow[]): DesiredState | null {
  const [first] = rows;
  if (first === undefined) return null;
  const { environment, organization } = first;
  const { revision } = environment;
  if (organization.deletedAt !== null) return { kind: "deleted", organizationId: organization.id, revision };
  const closed = environment.archivedAt !== null;
  const keys = rows.flatMap(({ key }) => (key === null || closed ? [] : [key]));
  return {
    kind: "provisioned",
    state: {
      revision,
      organization: { id: organization.id, slug: organization.slug },
      environment: { id: environment.id, slug: environment.slug },
      keys: keys.map(({ id, scopes, expiresAt }) => ({ id, scopes, expiresAt: expiresAt?.getTime() ?? null })),
      receives: {
        webhooks: environment.receivesWebhooks && !closed,
        schedules: environment.receivesSchedules && !closed,
      },
      retention: { days: environment.retentionDays, historyDays: environment.historyDays },
      schedules: closed ? [] : (rows.find(({ schedules }) => schedules !== null)?.schedules ?? []),
    },
  };
}

/**
 * A column with the organization's schedules, in the environment's first row only. Schedules can be megabytes, which many
 * keys must not multiply.
 */
function organizationSchedules() {
  const isFirst = sql`row_number() over (partition by ${environments.id} order by ${apiKeys.id}) = 1`;
  return sql<OrganizationSchedule[] | null>`case when ${isFirst} then (
    select coalesce(json_agg(json_build_object('id', ${schedules.id}, 'name', ${schedules.name},
      'cron', ${schedules.cron}, 'timezone', ${schedules.timezone}, 'event', ${schedules.event},
      'payload', ${schedules.payload}, 'enabled', ${schedules.enabled}) order by ${schedules.id}), '[]'::json)
    from ${schedules} where ${schedules.organizationId} = ${organizations.id}) end`.as("schedules_of");
}

/** Records the revision that the object has. Never lowers it, since pushes may overtake each other. */
export async function recordPushed(db: Database, environmentId: string, revision: number): Promise<void> {
  await db
    .update(environments)
    .set({ pushedRevision: sql`greatest(${environments.pushedRevision}, ${revision})` })
    .where(eq(environments.id, environmentId));
}
