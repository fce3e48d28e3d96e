// The ids of webhook sources, part of the URL that a provider posts to. An organization has one source per service, so
// the id is made from both: a workflow that registers finds its source without a look-up. A tag under a secret of the
// deployment proves that the deployment made the text. Promises: only texts made with one of the given secrets are
// accepted, none has a second spelling, and a URL outlives the rotation of secrets for as long as its secret is kept.
// The object behind a source stays the same for good.
import { decodeBase62, decodeBase62Integer, encodeBase62, encodeBase62Integer } from "./base62.ts";
import { type KeySecrets, sameBytes } from "./keys.ts";

const NUMBER_BYTES = 16;
const TAG_BYTES = 16;
const TAG_AT = 1 + NUMBER_BYTES;
const BODY_BYTES = TAG_AT + TAG_BYTES;
const PREFIX = "src_";
const NAME_PREFIX = "source_";
const DELIVERY_PREFIX = "dlv_";
/** As in ids.ts: numbers of deliveries are sequences. */
const SEQUENCE_WIDTH = 9;
const TEXT_MAX_CHARS = 64;

/** Separates these tags, and these digests, from every other use of the same secrets and ids. */
const TAG_PURPOSE = new TextEncoder().encode("switchyard-source\0");
const NUMBER_PURPOSE = "switchyard-source-of";

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * The name of the source's object, the same for ever for one organization and service: `source_` and 22 characters. The
 * name is no secret and opens nothing by itself.
 */
export async function sourceName(organizationId: string, service: string): Promise<string> {
  return nameOf(await numberOf(organizationId, service));
}

/** The source's id for its URL: `src_` and 45 characters, made under the current secret. */
export async function sourceId(secrets: KeySecrets, organizationId: string, service: string): Promise<string> {
  const body = new Uint8Array(BODY_BYTES);
  body[0] = secrets.current;
  body.set(await numberOf(organizationId, service), 1);
  const tag = await tagOf(secrets, secrets.current, body.subarray(0, TAG_AT));
  if (tag === null) throw new Error("the current secret is missing");
  body.set(tag, TAG_AT);
  return PREFIX + encodeBase62(body);
}

/** The name of the object behind an id that this deployment made; null for any other text, without a reason. */
export async function verifySourceId(secrets: KeySecrets, text: string): Promise<string | null> {
  if (text.length > TEXT_MAX_CHARS || !text.startsWith(PREFIX)) return null;
  const body = decodeBase62(text.slice(PREFIX.length), BODY_BYTES);
  if (body === null) return null;
  const tag = await tagOf(secrets, body[0] ?? 0, body.subarray(0, TAG_AT));
  return tag !== null && sameBytes(tag, body.subarray(TAG_AT)) ? nameOf(body.subarray(1, TAG_AT)) : null;
}

function nameOf(number: Uint8Array): string {
  return NAME_PREFIX + encodeBase62(number);
}

/** An organization's id has no zero byte, so no two pairs have the same text. */
async function numberOf(organizationId: string, service: string): Promise<Bytes> {
  const text = [NUMBER_PURPOSE, organizationId, service].join("\0");
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))).slice(0, NUMBER_BYTES);
}

async function tagOf(secrets: KeySecrets, version: number, head: Uint8Array): Promise<Bytes | null> {
  const secret = secrets.byVersion.get(version);
  if (secret === undefined) return null;
  const message = new Uint8Array(TAG_PURPOSE.length + head.length);
  message.set(TAG_PURPOSE);
  message.set(head, TAG_PURPOSE.length);
  return new Uint8Array(await crypto.subtle.sign("HMAC", secret, message)).slice(0, TAG_BYTES);
}

/** `dlv_`, 22 characters of the source and 9 of the number: the id of one delivery, and of the events it becomes. */
export function deliveryId(name: string, sequence: number): string {
  return DELIVERY_PREFIX + name.slice(NAME_PREFIX.length) + encodeBase62Integer(sequence, SEQUENCE_WIDTH);
}

/** The id of the event that a copy of a delivery becomes: 0 is the delivery itself, then each redelivery has its own. */
export function deliveryEventId(id: string, copy: number): string {
  return copy === 0 ? id : `${id}_${copy}`;
}

/** The number of a delivery of this source; null for any other text. */
export function parseDeliveryId(name: string, text: string): number | null {
  const head = DELIVERY_PREFIX + name.slice(NAME_PREFIX.length);
  return text.startsWith(head) ? decodeBase62Integer(text.slice(head.length), SEQUENCE_WIDTH) : null;
}
