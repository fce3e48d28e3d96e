// Deliveries that a person has handed over again: one, or those of a status and a time, to some environments or all.
// What was kept apart can be redelivered too: it is then routed for the first time.

import type { Redelivered, RedeliveryChoice } from "../../../shared/contracts/webhook-source.ts";
import { firstSequenceAt } from "../../../shared/ids/ids.ts";
import { deliveryId, parseDeliveryId } from "../../../shared/ids/source-ids.ts";
import { REDELIVERED_AT_ONCE_MAX } from "../../../shared/kernel/limits.ts";
import type { SourceContext } from "./context.ts";
import { redelivered } from "./copies.ts";
import { copiesOf, type DeliveryRow, readRow, rowsAbove, writeCopies } from "./deliveries.ts";

/** Marks them as owed; they are handed over as those whose retry is due. Null when there is no such delivery. */
export function redeliver(
  context: SourceContext,
  choice: RedeliveryChoice,
  slugs: readonly string[] | null,
): Redelivered | null {
  const { sql, source } = context;
  const environments = source.environments.filter(({ slug }) => slugs === null || slugs.includes(slug));
  const ids: string[] = [];
  const exhausted: string[] = [];
  const mark = (row: DeliveryRow) => {
    const copies = redelivered(copiesOf(row), environments, context.now());
    (copies === null ? exhausted : ids).push(deliveryId(source.name, row.id));
    if (copies !== null) writeCopies(sql, row.id, copies);
  };
  if ("id" in choice) {
    const number = parseDeliveryId(source.name, choice.id);
    const row = number === null ? null : readRow(sql, number);
    if (row === null) return null;
    mark(row);
    return { ids, exhausted, next: null };
  }
  const { rows, next } = chosen(context, choice);
  for (const row of rows) mark(row);
  return { ids, exhausted, next: next === null ? null : deliveryId(source.name, next) };
}

/** Read whole before any is changed: a cursor that is open sees the changes. */
function chosen(
  { sql, source }: SourceContext,
  { status, from, until, cursor }: Exclude<RedeliveryChoice, { id: string }>,
): { rows: DeliveryRow[]; next: number | null } {
  const after = cursor === null ? 0 : (parseDeliveryId(source.name, cursor) ?? 0);
  const above = Math.max(after, from === null ? 0 : firstSequenceAt(from) - 1);
  const end = until === null ? Number.POSITIVE_INFINITY : firstSequenceAt(until);
  const rows: DeliveryRow[] = [];
  for (const row of rowsAbove(sql, above)) {
    if (row.id >= end) break;
    if (status !== null && row.status !== status) continue;
    if (rows.length === REDELIVERED_AT_ONCE_MAX) return { rows, next: rows.at(-1)?.id ?? null };
    rows.push(row);
  }
  return { rows, next: null };
}
