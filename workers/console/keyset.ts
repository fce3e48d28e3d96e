// Keyset pages over what is ordered by its creation: the cursor is the last one's id, its place is looked up again.
import { type AnyColumn, type SQL, sql } from "drizzle-orm";
import type { PgTable } from "drizzle-orm/pg-core";

/** The condition for what comes after the cursor in this order; undefined on the first page. */
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
