// Organizations, members and invitations on the wire of the management API.
import { z } from "zod";
import { Email, Password, PersonName, Time } from "./people.ts";
import { ROLES } from "./roles.ts";

export const RoleName = z.enum(ROLES, `a role is one of ${ROLES.join(", ")}`);

export const Organization = z
  .object({
    id: z.string(),
    slug: z.string(),
    name: z.string(),
    role: RoleName.meta({ description: "What the caller may do." }),
    createdAt: Time,
  })
  .meta({ id: "Organization" });
export type Organization = z.infer<typeof Organization>;

/** `PATCH …/organizations/:org`. The slug stays: it stands in paths and in what hosts were told. */
export const PatchedOrganization = z.strictObject({ name: PersonName });

export const Member = z
  .object({ userId: z.string(), email: z.string(), name: z.string(), role: RoleName, createdAt: Time })
  .meta({ id: "Member" });
export type Member = z.infer<typeof Member>;
export const PatchedMember = z.strictObject({ role: RoleName });

const INVITATION_DAYS_MAX = 30;
const days = `expiresInDays is a whole number from 1 to ${INVITATION_DAYS_MAX}`;
export const Invitation = z
  .object({
    id: z.string(),
    email: z.string(),
    role: RoleName,
    createdBy: z.string(),
    createdAt: Time,
    expiresAt: Time,
    acceptedAt: Time.nullable(),
  })
  .meta({ id: "Invitation" });
export type Invitation = z.infer<typeof Invitation>;
export const NewInvitation = Invitation.extend({
  token: z.string().meta({ description: "What it is accepted with, shown this once: hand it to the invited person." }),
}).meta({ id: "NewInvitation" });
export const PostedInvitation = z.strictObject({
  email: Email,
  role: RoleName,
  expiresInDays: z.number(days).int(days).min(1, days).max(INVITATION_DAYS_MAX, days).default(7),
});
/** Name and password are for someone who has no account yet. */
export const AcceptedInvitation = z.strictObject({
  token: z.string().max(100),
  name: PersonName.optional(),
  password: Password.optional(),
});
export const Joined = z
  .object({ organization: z.object({ slug: z.string(), name: z.string() }), role: RoleName })
  .meta({ id: "Joined" });
