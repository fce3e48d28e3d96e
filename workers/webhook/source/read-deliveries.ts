// A source's deliveries for people: a page of them, newest first, or one with what came.

import type {
  DeliveriesPage,
  DeliveriesQuery,
  DeliveryDetails,
  DeliverySummary,
} from "../../../shared/contracts/webhook-source.ts";
import { sequenceTime } from "../../../shared/ids/ids.ts";
import { deliveryId, parseDeliveryId } from "../../../shared/ids/source-ids.ts";
import type { SourceContext } from "./context.ts";
import { copiesOf, type DeliveryRow, readContent, rowsBelow } from "./deliveries.ts";

/** Rows looked through for one page; a page that is cut short names where to go on. */
const LOOKED_AT_MAX = 5_000;

/** Null for a cursor that is none here. */
export function listDeliveries(
  { sql, source }: SourceContext,
  { limit, cursor, status }: DeliveriesQuery,
): DeliveriesPage | null {
  const below = cursor === null ? Number.MAX_SAFE_INTEGER : parseDeliveryId(source.name, cursor);
  if (below === null) return null;
  const data: DeliverySummary[] = [];
  let looked = 0;
  let last = below;
  for (const row of rowsBelow(sql, below)) {
    if (data.length === limit || looked === LOOKED_AT_MAX) return { data, next: deliveryId(source.name, last) };
    looked++;
    last = row.id;
    if (status === null || row.status === status) data.push(summarize(source.name, row));
  }
  return { data, next: null };
}

export function readDelivery({ sql, source }: SourceContext, id: string): DeliveryDetails | null {
  const number = parseDeliveryId(source.name, id);
  const content = number === null ? null : readContent(sql, number);
  if (content === null) return null;
  return {
    ...summarize(source.name, content),
    headers: JSON.parse(content.headers) as Record<string, string>,
    rawBody: new Uint8Array(content.raw_body),
  };
}

function summarize(name: string, row: DeliveryRow): DeliverySummary {
  return {
    id: deliveryId(name, row.id),
    receivedAt: sequenceTime(row.id),
    name: row.name,
    status: row.status,
    conflictsWith: row.conflicts_with === null ? null : deliveryId(name, row.conflicts_with),
    copies: copiesOf(row),
  };
}
