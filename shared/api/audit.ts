// The audit log on the wire of the management API: who did what, when. Ids only.
import { z } from "zod";
import { Time } from "./people.ts";

export const AUDIT_ACTIONS = [
  "organization.create",
  "organization.rename",
  "organization.delete",
  "environment.add",
  "environment.change",
  "environment.archive",
  "key.create",
  "key.show",
  "key.change",
  "key.rotate",
  "key.revoke",
  "workflow.pause",
  "workflow.resume",
  "workflow.deregister",
  "workflow.test",
  "history.archive",
  "run.cancel",
  "run.rerun",
  "source.create",
  "source.show",
  "source.change",
  "source.delete",
  "delivery.redeliver",
  "schedule.create",
  "schedule.change",
  "schedule.delete",
  "schedule.switch",
  "schedule.fire",
  "owner.add",
  "member.change",
  "member.remove",
  "invitation.create",
  "invitation.accept",
  "invitation.revoke",
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

export const AuditEntry = z
  .object({
    at: Time,
    actor: z.string().meta({ description: "A user's id, or `operator`." }),
    action: z.enum(AUDIT_ACTIONS),
    subject: z.string().meta({ description: "The id of what was changed." }),
    environmentId: z.string().nullable(),
  })
  .meta({ id: "AuditEntry" });
export type AuditEntry = z.infer<typeof AuditEntry>;
