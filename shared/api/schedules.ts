// Schedules, and tests of workflows, on the wire of the management API.
import { z } from "zod";
import { nestedDeeperThan, utf8Length } from "../kernel/canonical-json.ts";
import { NAME_MAX_CHARS, SCHEDULE_PAYLOAD_MAX_BYTES, SCHEDULE_PAYLOAD_MAX_DEPTH } from "../kernel/limits.ts";
import { cronProblem, isTimeZone } from "../kernel/schedule-times.ts";
import { PersonName, PRINTABLE, Time } from "./people.ts";

const Cron = z
  .string("a cron is text such as 0 9 * * MON-FRI")
  .max(NAME_MAX_CHARS, `a cron has ${NAME_MAX_CHARS} characters at most`)
  .superRefine((cron, context) => {
    const problem = cronProblem(cron);
    if (problem !== null) context.addIssue({ code: "custom", message: problem });
  })
  .meta({ description: "Five fields, as in crontab: minute, hour, day of the month, month, day of the week." });
const TimeZone = z
  .string("a time zone is text such as Europe/Berlin")
  .max(64, "a time zone has 64 characters at most")
  .refine(isTimeZone, "no such time zone: give one of IANA's, such as UTC or Europe/Berlin")
  .meta({ description: "An IANA time zone, whose clock the cron follows." });
const EventName = z
  .string("an event's name is text")
  .min(1, `an event's name has 1 to ${NAME_MAX_CHARS} characters`)
  .max(NAME_MAX_CHARS, `an event's name has 1 to ${NAME_MAX_CHARS} characters`)
  .regex(PRINTABLE, "an event's name must be printable");
const Payload = z
  .unknown()
  .refine((payload) => !nestedDeeperThan(payload, SCHEDULE_PAYLOAD_MAX_DEPTH), {
    error: `a payload is nested at most ${SCHEDULE_PAYLOAD_MAX_DEPTH} deep`,
    abort: true,
  })
  .refine(
    (payload) => payload === undefined || utf8Length(JSON.stringify(payload)) <= SCHEDULE_PAYLOAD_MAX_BYTES,
    `a payload has ${SCHEDULE_PAYLOAD_MAX_BYTES} bytes of JSON at most`,
  );

export const Schedule = z
  .object({
    id: z.string(),
    name: z.string(),
    cron: z.string(),
    timezone: z.string(),
    event: z.string().meta({ description: "The name of the custom event that it emits into every environment." }),
    payload: z.unknown(),
    enabled: z.boolean(),
    createdAt: Time,
    nextTimes: z.array(Time).meta({ description: "The next five; none while it is off." }),
  })
  .meta({ id: "Schedule" });
export type Schedule = z.infer<typeof Schedule>;

export const PostedSchedule = z.strictObject({
  name: PersonName,
  cron: Cron,
  timezone: TimeZone.default("UTC"),
  event: EventName,
  payload: Payload.default({}),
  enabled: z.boolean("say true or false").default(true),
});
export const PatchedSchedule = z
  .strictObject({
    name: PersonName.optional(),
    cron: Cron.optional(),
    timezone: TimeZone.optional(),
    event: EventName.optional(),
    payload: Payload.optional(),
    enabled: z.boolean("say true or false").optional(),
  })
  .refine((patch) => Object.values(patch).some((value) => value !== undefined), "nothing to change");

export const EnvironmentSchedule = z
  .object({
    id: z.string().meta({ description: "`workflow:<slug>`, or the id of one of the organization's." }),
    workflow: z.string().nullable().meta({ description: "The workflow that registered it, by slug." }),
    name: z.string().nullable().meta({ description: "For one of the organization's." }),
    cron: z.string().nullable(),
    timezone: z.string().nullable(),
    everySeconds: z.number().nullable().meta({ description: "For a rate, which has no cron." }),
    event: z.string(),
    enabled: z.boolean().meta({ description: "Whether it is switched on in this environment." }),
    lastRunAt: Time.nullable(),
    nextTimes: z
      .array(Time)
      .meta({ description: "The next five; none while it or the environment's schedules are off." }),
  })
  .meta({ id: "EnvironmentSchedule" });

export const PatchedEnvironmentSchedule = z.strictObject({ enabled: z.boolean("say true or false") });

/** What a test or "fire now" made. */
export const EmittedEvent = z
  .object({
    id: z.string(),
    name: z.string(),
    runs: z.array(z.object({ id: z.string(), workflow: z.string() })),
  })
  .meta({ id: "EmittedEvent" });
export type EmittedEvent = z.infer<typeof EmittedEvent>;

export const PostedTest = z.strictObject({
  payload: z.unknown().refine((payload) => payload !== undefined, "is missing"),
  context: z.unknown().optional(),
});
