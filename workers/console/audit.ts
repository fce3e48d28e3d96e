// The audit log. A change in Postgres writes its entry in the same transaction, so that neither is stored without the other.
import type { AuditAction } from "../../shared/api/audit.ts";
import type { Database } from "../../shared/db/client.ts";
import { auditLog } from "../../shared/db/schema.ts";
import { actorOf } from "./access/caller.ts";
import type { ConsoleEnv } from "./access/types.ts";
import { notAudited } from "./refusals.ts";

type Variables = ConsoleEnv["Variables"];
/** The variables of a request whose path names an organization, and perhaps an environment. */
type RequestVariables = Omit<Variables, "environment"> & Partial<Pick<Variables, "environment">>;

export interface AuditEntry {
  readonly organizationId: string;
  readonly environmentId?: string;
  readonly actor: string;
  readonly action: AuditAction;
  /** Id of the object that changed. */
  readonly subject: string;
}

/** The statement that inserts an entry. */
export function audit(db: Database, { environmentId = "", ...entry }: AuditEntry) {
  return db.insert(auditLog).values({ ...entry, environmentId: environmentId === "" ? null : environmentId });
}

/** An entry of the request's caller about its organization and, if the path names one, its environment. */
export function auditEntry(
  { organization, environment, caller }: RequestVariables,
  action: AuditAction,
  subject: string,
): AuditEntry {
  const environmentId = environment && { environmentId: environment.id };
  return { organizationId: organization.id, ...environmentId, actor: actorOf(caller), action, subject };
}

/** Writes an entry about a change that an object has already made. If that fails, the refusal says that the change is made. */
export async function writeAudit(variables: RequestVariables, action: AuditAction, subject: string): Promise<void> {
  try {
    await audit(variables.services.db, auditEntry(variables, action, subject));
  } catch {
    throw notAudited();
  }
}
