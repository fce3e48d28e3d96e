// The audit log: every change writes one line of it in the same transaction, so that neither is there without the other.

import type { AuditAction } from "../../shared/api/audit.ts";
import type { Database } from "../../shared/db/client.ts";
import { auditLog } from "../../shared/db/schema.ts";

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
