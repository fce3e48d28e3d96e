// An environment's history as the management API shows it: what is on its way to Postgres, and runs in numbers.
import { z } from "zod";
import { Time } from "./people.ts";

export const History = z
  .object({
    backlog: z
      .object({ runs: z.number(), events: z.number() })
      .meta({ description: "Not in Postgres yet: runs that have not ended among them. Counted up to 20,000." }),
    archivedAt: Time.nullable().meta({ description: "When something last went to Postgres." }),
    nextAt: Time.nullable().meta({ description: "When the rest goes; null while there is none." }),
    failures: z.number().meta({ description: "Tries that failed one after the other." }),
    storageBytes: z.number(),
    storageMaxBytes: z.number().meta({ description: "At 90 % of it, events are refused." }),
  })
  .meta({ id: "History" });
export type History = z.infer<typeof History>;

export const Archived = z
  .object({ runs: z.number(), events: z.number() })
  .meta({ id: "Archived", description: "How many went to Postgres." });

export type Archived = z.infer<typeof Archived>;

export const Hour = z
  .object({
    hour: Time,
    workflow: z.string(),
    runs: z.number(),
    failures: z.number(),
    p50Ms: z.number().nullable(),
    p95Ms: z.number().nullable(),
  })
  .meta({ id: "Hour" });
export type Hour = z.infer<typeof Hour>;

const HOURS_MAX = 24 * 92;
const HOUR_MS = 3_600_000;

export const HoursQuery = z
  .object({ from: Time, to: Time })
  .refine(({ from, to }) => Date.parse(from) < Date.parse(to), { path: ["to"], error: "must be later than from" })
  .refine(({ from, to }) => Date.parse(to) - Date.parse(from) <= HOURS_MAX * HOUR_MS, {
    path: ["from"],
    error: "92 days at most",
  });
