// Lists on the wire of the management API: `{data, next}`, with keyset cursors.
import { z } from "zod";
import { PAGE_DEFAULT, PAGE_MAX } from "../kernel/limits.ts";
import { PRINTABLE } from "./people.ts";

const wholeNumber = `limit is a whole number from 1 to ${PAGE_MAX}`;
export const PageQuery = z.object({
  limit: z.coerce
    .number(wholeNumber)
    .int(wholeNumber)
    .min(1, wholeNumber)
    .max(PAGE_MAX, wholeNumber)
    .default(PAGE_DEFAULT),
  cursor: z
    .string()
    .max(200)
    .regex(PRINTABLE, "give what a page had as next")
    .optional()
    .meta({ description: "`next` of the page before." }),
});
export type PageQuery = z.infer<typeof PageQuery>;

/** A list of things without a further page, or a page of it. */
export function listOf<T extends z.ZodType>(item: T) {
  return z.object({
    data: z.array(item),
    next: z.string().nullable().meta({ description: "The cursor of the next page; null at the end." }),
  });
}

/** A page out of up to `limit + 1` rows: the one too many says that there is a next page. */
export function pageOf<R, A>(
  rows: readonly R[],
  limit: number,
  { answer, cursor }: { answer: (row: R) => A; cursor: (row: R) => string },
): { data: A[]; next: string | null } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return { data: shown.map(answer), next: rows.length > limit && last !== undefined ? cursor(last) : null };
}
