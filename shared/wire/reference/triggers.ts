// The trigger of a workflow, as a host registers it (`trigger` of INITIALIZE_HOST_V2).
import { z } from "zod";
import { NAME_MAX_CHARS } from "../../kernel/limits.ts";

const name = z.string().min(1).max(NAME_MAX_CHARS);
const filter = z.record(z.string(), z.unknown()).default({});
const schema = z.unknown().optional();

const customEvent = z.object({ type: z.literal("CUSTOM_EVENT"), service: z.literal("trigger"), name, filter, schema });

const webhook = z.object({
  type: z.literal("WEBHOOK"),
  service: name,
  name,
  filter,
  source: z.unknown().optional(),
  manualRegistration: z.boolean().default(false),
  schema,
});

const rate = z.union([
  z.object({ minutes: z.number().int().min(1).max(1440) }),
  z.object({ hours: z.number().int().min(1).max(720) }),
  z.object({ days: z.number().int().min(1).max(365) }),
]);

const schedule = z.object({
  type: z.literal("SCHEDULE"),
  service: z.literal("scheduler"),
  name,
  source: z.union([z.object({ rateOf: rate }), z.object({ cron: z.string().min(1).max(NAME_MAX_CHARS) })]),
});

export const Trigger = z.discriminatedUnion("type", [customEvent, webhook, schedule], {
  error: (issue) =>
    issue.code === "invalid_union"
      ? "this type of trigger is not supported; use CUSTOM_EVENT, WEBHOOK or SCHEDULE"
      : undefined,
});
export type Trigger = z.infer<typeof Trigger>;
export type TriggerKind = Trigger["type"];
export const TRIGGER_KINDS: readonly TriggerKind[] = ["CUSTOM_EVENT", "WEBHOOK", "SCHEDULE"];
