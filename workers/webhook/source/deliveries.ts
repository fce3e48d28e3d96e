// The rows of a source's deliveries: stored once each, found by number or by the provider's id, deleted after 7 days.

import type { Copy, DeliveryStatus } from "../../../shared/contracts/webhook-source.ts";
import { firstSequenceAt } from "../../../shared/ids/ids.ts";
import { DELIVERY_KEPT_MS } from "../../../shared/kernel/limits.ts";
import { nextDue, statusOf } from "./copies.ts";

export interface NewDelivery {
  readonly id: number;
  readonly providerId: Uint8Array<ArrayBuffer> | null;
  /** Of the body: the same id with another one is another delivery. */
  readonly digest: Uint8Array<ArrayBuffer>;
  readonly name: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly contentType: string | null;
  readonly rawBody: Uint8Array<ArrayBuffer>;
}

export interface DeliveryRow extends Record<string, SqlStorageValue> {
  id: number;
  conflicts_with: number | null;
  status: DeliveryStatus;
  copies: string;
  due_at: number | null;
  name: string | null;
}

export interface DeliveryContent extends DeliveryRow {
  digest: ArrayBuffer;
  headers: string;
  content_type: string | null;
  raw_body: ArrayBuffer;
}

const COLUMNS = "id, conflicts_with, status, copies, due_at, name";
/** Deleted in one slice; the alarm comes back for the rest. */
const DELETED_AT_ONCE = 500;

export function copiesOf({ copies }: Pick<DeliveryRow, "copies">): Copy[] {
  return JSON.parse(copies) as Copy[];
}

export function findByProviderId(
  sql: SqlStorage,
  digest: Uint8Array<ArrayBuffer>,
): { id: number; digest: ArrayBuffer } | null {
  const [row] = sql.exec<{ id: number; digest: ArrayBuffer }>(
    "SELECT id, digest FROM deliveries WHERE provider_id = ?",
    digest,
  );
  return row ?? null;
}

/** Stores a delivery and what is owed of it, in one statement. Nothing is owed of one that is kept apart. */
export function insertDelivery(
  sql: SqlStorage,
  delivery: NewDelivery,
  owed: { readonly copies: readonly Copy[] } | { readonly conflictsWith: number },
): void {
  const copies = "copies" in owed ? owed.copies : [];
  sql.exec(
    "INSERT INTO deliveries VALUES (?, ?, ?, ?, ?, ?, NULL, ?, ?, ?, ?)",
    delivery.id,
    "copies" in owed ? delivery.providerId : null,
    delivery.digest,
    "conflictsWith" in owed ? owed.conflictsWith : null,
    "conflictsWith" in owed ? "conflict" : statusOf(copies),
    JSON.stringify(copies),
    delivery.name,
    JSON.stringify(delivery.headers),
    delivery.contentType,
    delivery.rawBody,
  );
}

export function readContent(sql: SqlStorage, id: number): DeliveryContent | null {
  const [row] = sql.exec<DeliveryContent>("SELECT * FROM deliveries WHERE id = ?", id);
  return row ?? null;
}

export function readRow(sql: SqlStorage, id: number): DeliveryRow | null {
  const [row] = sql.exec<DeliveryRow>(`SELECT ${COLUMNS} FROM deliveries WHERE id = ?`, id);
  return row ?? null;
}

/** With the size of what came, which itself is not read. */
export function readSized(sql: SqlStorage, id: number): (DeliveryRow & { bytes: number }) | null {
  const [row] = sql.exec<DeliveryRow & { bytes: number }>(
    `SELECT ${COLUMNS}, length(raw_body) + length(headers) AS bytes FROM deliveries WHERE id = ?`,
    id,
  );
  return row ?? null;
}

/** The newest first, below a number. */
export function rowsBelow(sql: SqlStorage, below: number): SqlStorageCursor<DeliveryRow> {
  return sql.exec<DeliveryRow>(`SELECT ${COLUMNS} FROM deliveries WHERE id < ? ORDER BY id DESC`, below);
}

/** The oldest first, above a number. */
export function rowsAbove(sql: SqlStorage, above: number): SqlStorageCursor<DeliveryRow> {
  return sql.exec<DeliveryRow>(`SELECT ${COLUMNS} FROM deliveries WHERE id > ? ORDER BY id`, above);
}

/** `due_at` is null only for copies that are under way at once. */
export function writeCopies(sql: SqlStorage, id: number, copies: readonly Copy[]): void {
  sql.exec(
    "UPDATE deliveries SET copies = ?, status = ?, due_at = ? WHERE id = ?",
    JSON.stringify(copies),
    statusOf(copies),
    nextDue(copies),
    id,
  );
}

export function newestId(sql: SqlStorage): number | null {
  return sql.exec<{ id: number | null }>("SELECT max(id) AS id FROM deliveries").one().id;
}

/** Deliveries stored and not tried yet: after a loss of the object, those it was busy with. */
export function untried(sql: SqlStorage): number[] {
  return sql
    .exec<{ id: number }>(
      `SELECT id FROM deliveries WHERE id > (SELECT settled_through FROM source) AND status = 'pending'
       AND due_at IS NULL ORDER BY id`,
    )
    .toArray()
    .map(({ id }) => id);
}

/** Deliveries that `untried` looks at when the object starts. */
export function countUnsettled(sql: SqlStorage): number {
  return sql
    .exec<{ count: number }>("SELECT count(*) AS count FROM deliveries WHERE id > (SELECT settled_through FROM source)")
    .one().count;
}

/** For a delivery whose hand-over failed here, not at an environment. */
export function postpone(sql: SqlStorage, id: number, dueAt: number): void {
  sql.exec("UPDATE deliveries SET due_at = ? WHERE id = ? AND status = 'pending'", dueAt, id);
}

/** Every delivery up to this number was tried. Written seldom: it only keeps `untried` short. */
export function settleThrough(sql: SqlStorage, id: number): void {
  sql.exec("UPDATE source SET settled_through = max(settled_through, ?)", id);
}

/** Deliveries whose retry is due, less those that are under way. */
export function dueIds(sql: SqlStorage, now: number, busy: readonly number[], limit: number): number[] {
  return sql
    .exec<{ id: number }>(
      "SELECT id FROM deliveries WHERE due_at IS NOT NULL AND due_at <= ? AND id NOT IN (SELECT value FROM json_each(?)) ORDER BY due_at LIMIT ?",
      now,
      JSON.stringify(busy),
      limit,
    )
    .toArray()
    .map(({ id }) => id);
}

/** Deletes a slice of what is older than 7 days and not owed. */
export function deleteOld(sql: SqlStorage, now: number): void {
  sql.exec(
    `DELETE FROM deliveries WHERE id IN
       (SELECT id FROM deliveries WHERE id < ? AND status <> 'pending' ORDER BY id LIMIT ?)`,
    firstSequenceAt(now - DELIVERY_KEPT_MS),
    DELETED_AT_ONCE,
  );
}
