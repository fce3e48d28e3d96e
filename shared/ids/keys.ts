// API keys that are verified without a look-up and stored nowhere: a key names its environment and its own id, and a
// tag under a secret of the deployment proves that the deployment made it. The environment object decides whether the
// key is still active. Promises: only keys derived with one of the given secrets are accepted, no key has a second
// spelling, and no error or result holds a key or a secret.

import { base62Width, decodeBase62, encodeBase62 } from "./base62.ts";
import {
  ENVIRONMENT_ID_BYTES,
  environmentIdBytes,
  environmentIdFromBytes,
  KEY_ID_BYTES,
  keyIdBytes,
  keyIdFromBytes,
} from "./ids.ts";

const TAG_BYTES = 16;
const KEY_ID_AT = 1 + ENVIRONMENT_ID_BYTES;
const TAG_AT = KEY_ID_AT + KEY_ID_BYTES;
const BODY_BYTES = TAG_AT + TAG_BYTES;

const SECRET_MIN_BYTES = 32;
/** A key is at most 86 characters (8 + 32 + 1 + 45); longer input is refused unread. */
const KEY_TEXT_MAX_CHARS = 128;
const KEY_TEXT = new RegExp(`^trigger_([a-z]{1,32})_([0-9A-Za-z]{${base62Width(BODY_BYTES)}})$`);
const SLUG = /^[a-z]{1,32}$/;
/** Separates these tags from any other use of the same secrets. */
const PURPOSE = new TextEncoder().encode("switchyard-key");

/** A `CryptoKey`; workerd and browsers declare the type, Node does not. */
type SecretKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/** The deployment's secrets by version, imported once and not extractable. New keys are derived under `current`. */
export interface KeySecrets {
  readonly current: number;
  readonly byVersion: ReadonlyMap<number, SecretKey>;
}

/** The content of a key; `deriveApiKey` shows the same key again from it. */
export interface ApiKeyParts {
  /** 1 to 32 letters a to z, e.g. `live`. */
  readonly environmentSlug: string;
  readonly environmentId: string;
  readonly keyId: string;
  /** 1 to 255. */
  readonly secretVersion: number;
}

/**
 * Reads `<version>:<base64>,…`, the current secret first; e.g. `2:…,1:…` while version 1 is being phased out. Versions
 * are distinct whole numbers from 1 to 255, secrets distinct and at least 32 bytes. Throws an Error that gives the
 * number of the entry and its mistake, never its content.
 */
export async function parseKeySecrets(text: string): Promise<KeySecrets> {
  const byVersion = new Map<number, SecretKey>();
  const seen = new Set<string>();
  let current: number | null = null;
  for (const [index, entry] of text.split(",").entries()) {
    const place = `key secrets, entry ${index + 1}`;
    const parts = /^([^:]*):(.*)$/s.exec(entry.trim());
    if (parts === null) throw new Error(`${place}: expected <version>:<base64>`);
    const version = parseVersion(parts[1] ?? "");
    if (version === null) throw new Error(`${place}: the version must be a whole number from 1 to 255`);
    if (byVersion.has(version)) throw new Error(`${place}: the version is given twice`);
    const secret = decodeBase64(parts[2] ?? "");
    if (secret === null) throw new Error(`${place}: the secret is not base64`);
    if (secret.length < SECRET_MIN_BYTES)
      throw new Error(`${place}: the secret is shorter than ${SECRET_MIN_BYTES} bytes`);
    // A rotation to the same secret would rotate nothing.
    const spelling = secret.join();
    if (seen.has(spelling)) throw new Error(`${place}: the secret is the same as another version's`);
    seen.add(spelling);
    byVersion.set(version, await importSecret(secret));
    current ??= version;
  }
  if (current === null) throw new Error("key secrets: none given");
  return { current, byVersion };
}

/**
 * The text of a key, under the current secret unless `secretVersion` names another. The same parts give the same text.
 * Throws a RangeError for malformed parts, or a version without a secret.
 */
export async function deriveApiKey(
  secrets: KeySecrets,
  parts: Omit<ApiKeyParts, "secretVersion"> & { readonly secretVersion?: number | undefined },
): Promise<string> {
  const version = parts.secretVersion ?? secrets.current;
  const secret = secrets.byVersion.get(version);
  const environment = environmentIdBytes(parts.environmentId);
  const key = keyIdBytes(parts.keyId);
  if (secret === undefined) throw new RangeError("no secret of this version");
  if (!SLUG.test(parts.environmentSlug)) throw new RangeError("an environment slug is 1 to 32 letters a to z");
  if (environment === null) throw new RangeError("not an environment id");
  if (key === null) throw new RangeError("not a key id");

  const body = new Uint8Array(BODY_BYTES);
  body[0] = version;
  body.set(environment, 1);
  body.set(key, KEY_ID_AT);
  body.set(await tagOf(secret, parts.environmentSlug, body.subarray(0, TAG_AT)), TAG_AT);
  return `trigger_${parts.environmentSlug}_${encodeBase62(body)}`;
}

/**
 * The parts of a key, once its tag has proved that this deployment derived it. Null for anything else, without a
 * reason, so that every refusal looks the same. A key of a version that was removed from the secrets is null too.
 */
export async function verifyApiKey(secrets: KeySecrets, text: string): Promise<ApiKeyParts | null> {
  if (text.length > KEY_TEXT_MAX_CHARS) return null;
  const [, environmentSlug, encoded] = KEY_TEXT.exec(text) ?? [];
  if (environmentSlug === undefined || encoded === undefined) return null;
  const body = decodeBase62(encoded, BODY_BYTES);
  const secretVersion = body?.[0];
  if (body === null || secretVersion === undefined) return null;
  const secret = secrets.byVersion.get(secretVersion);
  if (secret === undefined) return null;
  const tag = await tagOf(secret, environmentSlug, body.subarray(0, TAG_AT));
  if (!sameBytes(tag, body.subarray(TAG_AT))) return null;
  return {
    environmentSlug,
    environmentId: environmentIdFromBytes(body.subarray(1, KEY_ID_AT)),
    keyId: keyIdFromBytes(body.subarray(KEY_ID_AT, TAG_AT)),
    secretVersion,
  };
}

/**
 * The token of an `Authorization: Bearer <token>` header, or null. The scheme in any case, one or more spaces, one
 * token of RFC 9110's token68 characters (RFC 6750's b64token), and nothing else.
 */
export function bearerToken(authorizationHeader: string | null): string | null {
  return /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i.exec(authorizationHeader ?? "")?.[1] ?? null;
}

/**
 * The tag over purpose, a zero byte, the slug's length and text, and `ids`: version, environment id, key id. All but
 * the slug are of fixed length and the slug's length stands before it, so no two sets of parts have the same encoding.
 */
async function tagOf(secret: SecretKey, slug: string, ids: Uint8Array): Promise<Uint8Array> {
  const slugBytes = new TextEncoder().encode(slug);
  const slugAt = PURPOSE.length + 2;
  const message = new Uint8Array(slugAt + slugBytes.length + ids.length);
  message.set(PURPOSE);
  message[slugAt - 1] = slugBytes.length;
  message.set(slugBytes, slugAt);
  message.set(ids, slugAt + slugBytes.length);
  return new Uint8Array(await crypto.subtle.sign("HMAC", secret, message), 0, TAG_BYTES);
}

/**
 * Equality in a time that does not depend on where the bytes differ: every byte is compared, without an early exit.
 * `crypto.subtle.verify` would do the same, but only for whole tags, and ours are cut to 128 bits to keep keys short.
 */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}

function importSecret(secret: Uint8Array<ArrayBuffer>): Promise<SecretKey> {
  return crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
}

function parseVersion(text: string): number | null {
  const version = /^[1-9]\d{0,2}$/.test(text) ? Number(text) : 0;
  return version >= 1 && version <= 255 ? version : null;
}

/** Standard base64, padded or not. `atob` alone would let white space through. */
function decodeBase64(text: string): Uint8Array<ArrayBuffer> | null {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return null;
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  } catch {
    return null;
  }
}
