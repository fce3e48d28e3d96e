// Keyset pages over rows in the order of their creation. The cursor is the id of a page's last row.
import { type AnyColumn, type SQL, sql } from "drizzle-orm";
import type { PgTable } from "drizzle-orm/pg-core";
import { unprocessable } from "./refusals.ts";

/** The condition for rows after the cursor in this order; undefined for the first page. */
export function afterCursor(
  table: PgTable,
  { createdAt, id }: { createdAt: AnyColumn; id: AnyColumn },
  cursor: string | undefined,
  order: "oldest first" | "newest first",
): SQL | undefined {
  if (cursor === undefined) return undefined;
  const than = order === "oldest first" ? sql`>` : sql`<`;
  const place = sql`(select ${createdAt}, ${id} from ${table} where ${id} = ${cursor})`;
  return sql`(${createdAt}, ${id}) ${than} ${place}`;
}

/** Refuses a cursor that no page has given. */
export const cursorNotFound = () => unprocessable("cursor", "must be the `next` of a previous page");
