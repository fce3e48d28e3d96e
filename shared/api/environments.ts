// Environments and their API keys on the wire of the management API.
import { z } from "zod";
import { HISTORY_DAYS, HISTORY_MAX_DAYS, RETENTION_DAYS, RETENTION_MAX_DAYS } from "../kernel/limits.ts";
import { PersonName, Time } from "./people.ts";

/** The two that every organization is born with. They cannot be archived. */
export const BORN_WITH = ["live", "development"] as const;

export const EnvironmentSlug = z
  .string("a slug is text")
  .regex(/^[a-z]{1,32}$/, "a slug has 1 to 32 letters a to z: it is part of the keys");

export const Environment = z
  .object({
    id: z.string(),
    slug: z.string().meta({ description: "Part of the keys; never changes." }),
    createdAt: Time,
    receivesWebhooks: z.boolean().meta({ description: "Whether deliveries of webhook sources reach it." }),
    receivesSchedules: z.boolean().meta({ description: "Whether schedules reach it." }),
    retentionDays: z.number().meta({ description: "Days that the environment itself keeps what has ended." }),
    historyDays: z.number().meta({ description: "Days that Postgres keeps it." }),
    inForce: z.boolean().meta({ description: "Whether the environment is known to have the last change." }),
  })
  .meta({ id: "Environment" });
export type Environment = z.infer<typeof Environment>;

const days = (most: number) => {
  const form = `a whole number of days from 1 to ${most}`;
  return z.int(form).min(1, form).max(most, form);
};
const RetentionDays = days(RETENTION_MAX_DAYS);
const HistoryDays = days(HISTORY_MAX_DAYS);

export const PostedEnvironment = z.strictObject({
  slug: EnvironmentSlug,
  receivesWebhooks: z.boolean("say true or false"),
  receivesSchedules: z.boolean("say true or false"),
  retentionDays: RetentionDays.default(RETENTION_DAYS),
  historyDays: HistoryDays.default(HISTORY_DAYS),
});
export const PatchedEnvironment = z
  .strictObject({
    receivesWebhooks: z.boolean().optional(),
    receivesSchedules: z.boolean().optional(),
    retentionDays: RetentionDays.optional(),
    historyDays: HistoryDays.optional(),
  })
  .refine((patch) => Object.keys(patch).length > 0, "nothing to change");

const SCOPES = ["events:send", "workflows:connect", "runs:read"] as const;
export const Scopes = z
  .union([z.literal("all"), z.array(z.enum(SCOPES)).min(1)], `"all", or a list of ${SCOPES.join(", ")}`)
  .meta({ description: "What the key may do." });
export type Scopes = z.infer<typeof Scopes>;

export const Key = z
  .object({
    id: z.string(),
    name: z.string(),
    scopes: Scopes,
    createdBy: z.string().nullable(),
    createdAt: Time,
    expiresAt: Time.nullable(),
    revokedAt: Time.nullable(),
    replacedBy: z.string().nullable().meta({ description: "The key that a rotation made in its place." }),
    lastUsedAt: Time.nullable().meta({ description: "To the minute; now for a key with an open connection." }),
  })
  .meta({ id: "Key" });
export type Key = z.infer<typeof Key>;
const text = { key: z.string().meta({ description: "The key itself. It can be shown again." }) };
export const KeyWithText = Key.extend(text).meta({ id: "KeyWithText" });
export type KeyWithText = z.infer<typeof KeyWithText>;
export const KeyText = z.object(text).meta({ id: "KeyText" });

export const PostedKey = z.strictObject({
  name: PersonName,
  scopes: Scopes.default("all"),
  expiresAt: Time.nullable().default(null),
});
export const PatchedKey = z
  .strictObject({ name: PersonName.optional(), scopes: Scopes.optional(), expiresAt: Time.nullable().optional() })
  .refine((patch) => Object.keys(patch).length > 0, "nothing to change");

const overlap = "overlapDays is a number from 0 to 7";
/** `POST …/rotate`: how long the old key goes on; 0 revokes it at once. */
export const PostedRotation = z.strictObject({
  overlapDays: z.number(overlap).min(0, overlap).max(7, overlap),
  expiresAt: Time.nullable().default(null).meta({ description: "The end of the new key." }),
});
export const Rotated = z.object({ key: KeyWithText, replaced: Key }).meta({ id: "Rotated" });
