// What a list of runs is filtered by, on the wire of the management API.
import { z } from "zod";
import { NAME_MAX_CHARS } from "../kernel/limits.ts";
import { PageQuery } from "./pages.ts";
import { Time } from "./people.ts";
import { RUN_STATUSES, type RunsQuery } from "./runs.ts";

export const RunFilters = z.object({
  status: z.enum(RUN_STATUSES, `status is one of ${RUN_STATUSES.join(", ")}`).optional(),
  workflow: z.string().max(NAME_MAX_CHARS).optional().meta({ description: "A workflow's slug." }),
  from: Time.optional().meta({ description: "Made at this time or later." }),
  until: Time.optional().meta({ description: "Made before this time." }),
  test: z
    .enum(["true", "false"], "test is true or false")
    .optional()
    .meta({ description: "Test runs, or the others." }),
  text: z.string().max(NAME_MAX_CHARS).optional().meta({
    description:
      "A run's id, or what its event's id or name, or its error, contains; in Postgres also its payload or its output. Upper and lower case are alike.",
  }),
});
export type RunFilters = z.infer<typeof RunFilters>;

export const ListedRuns = PageQuery.extend(RunFilters.shape);

/** What the environment's object is asked for. */
export function runsQueryOf({ limit, cursor, status, from, until, test, text }: z.infer<typeof ListedRuns>): RunsQuery {
  return {
    limit,
    cursor: cursor ?? null,
    status: status ?? null,
    ...(from !== undefined && { from: Date.parse(from) }),
    ...(until !== undefined && { until: Date.parse(until) }),
    ...(test !== undefined && { isTest: test === "true" }),
    ...(text !== undefined && text.trim() !== "" && { text: text.trim() }),
  };
}
