// The audit log: every change writes one line of it in the same transaction, so that neither is there without the other.

import type { AuditAction } from "../../shared/api/audit.ts";
import type { Database } from "../../shared/db/client.ts";
import { auditLog } from "../../shared/db/schema.ts";
import { actorOf } from "./access/caller.ts";
import type { ConsoleEnv } from "./access/types.ts";
import { notAudited } from "./refusals.ts";

export interface Audited {
  readonly organizationId: string;
  readonly environmentId?: string;
  readonly actor: string;
  readonly action: AuditAction;
  /** The id of what was changed. */
  readonly subject: string;
}

/** The statement that writes it down. */
export function audit(db: Database, { environmentId = "", ...entry }: Audited) {
  return db.insert(auditLog).values({ ...entry, environmentId: environmentId === "" ? null : environmentId });
}

type Variables = ConsoleEnv["Variables"];

/**
 * Writes an entry about a change that an object has made already, with the environment if the path names one. Throws the
 * refusal "not audited", which says that the change is made.
 */
export async function writeAudit(
  { services, organization, environment, caller }: Omit<Variables, "environment"> & Partial<Variables>,
  action: AuditAction,
  subject: string,
): Promise<void> {
  const environmentId = environment && { environmentId: environment.id };
  try {
    await audit(services.db, {
      organizationId: organization.id,
      actor: actorOf(caller),
      action,
      subject,
      ...environmentId,
    });
  } catch {
    throw notAudited();
  }
}
