// Deletion of an organization: its row is marked, which hides it; every environment's object deletes itself; then the rows
// are deleted. The audit log stays. Repairs completes a deletion that stops in between, see apply-change.ts.
import { and, eq, exists, inArray, isNotNull, lt, not, sql } from "drizzle-orm";
import type { Database } from "../../../shared/db/client.ts";
import { apiKeys, environments, invitations, members, organizations, schedules } from "../../../shared/db/schema.ts";

/** The statements that mark the organization as deleted. */
export function markDeleted(db: Database, organizationId: string, at: Date) {
  return [
    db.update(organizations).set({ deletedAt: at }).where(eq(organizations.id, organizationId)),
    db
      .update(environments)
      .set({ revision: sql`${environments.revision} + 1` })
      .where(eq(environments.organizationId, organizationId)),
  ] as const;
}

/** Deletes the rows of a marked organization, history first, once every environment has confirmed. */
export async function forgetIfDeleted(
  db: Database,
  organizationId: string,
  forgetHistory: (environmentId: string) => Promise<void>,
): Promise<void> {
  const unconfirmed = db
    .select({ id: environments.id })
    .from(environments)
    .where(
      and(eq(environments.organizationId, organizationId), lt(environments.pushedRevision, environments.revision)),
    );
  const [ready] = await db
    .select({ id: organizations.id })
    .from(organizations)
    .where(and(eq(organizations.id, organizationId), isNotNull(organizations.deletedAt), not(exists(unconfirmed))));
  if (ready === undefined) return;
  const its = db.select({ id: environments.id }).from(environments).where(eq(environments.organizationId, ready.id));
  for (const { id } of await its) await forgetHistory(id);
  await db.batch([
    db.delete(apiKeys).where(inArray(apiKeys.environmentId, its)),
    db.delete(environments).where(eq(environments.organizationId, ready.id)),
    db.delete(members).where(eq(members.organizationId, ready.id)),
    db.delete(schedules).where(eq(schedules.organizationId, ready.id)),
    db.delete(invitations).where(eq(invitations.organizationId, ready.id)),
    db.delete(organizations).where(eq(organizations.id, ready.id)),
  ]);
}
