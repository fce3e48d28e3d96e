// HMAC over bytes, and the schemes that are nothing but one signature of the raw body in one header.
import type { Encoding, HmacAlgorithm } from "../../../shared/api/source-settings.ts";
import { decode } from "./encodings.ts";
import { type Judgement, malformed, requiredHeader, type Scheme, WRONG } from "./scheme.ts";

const HASHES = {
  sha1: { name: "SHA-1", bytes: 20 },
  sha256: { name: "SHA-256", bytes: 32 },
  sha512: { name: "SHA-512", bytes: 64 },
} as const satisfies Record<HmacAlgorithm, { name: string; bytes: number }>;

export interface HmacSettings {
  readonly algorithm: HmacAlgorithm;
  readonly header: string;
  /** Stands before the signature and is compared exactly, e.g. `sha256=`. */
  readonly prefix: string;
  readonly encoding: Encoding;
}

/** One signature of the raw body, in one header. The secret's UTF-8 bytes are the key. */
export function bodyHmac({ algorithm, header, prefix, encoding }: HmacSettings): Scheme {
  return async ({ headers, rawBody }, secrets) => {
    const found = requiredHeader(headers, header);
    if ("refusal" in found) return found.refusal;
    if (!found.value.startsWith(prefix)) return malformed(header);
    const signature = decode(found.value.slice(prefix.length), encoding, HASHES[algorithm].bytes);
    if (signature === null) return malformed(header);
    return judgeSignatures(algorithm, secrets.map(utf8), [signature], rawBody);
  };
}

/** Proved when any of the signatures is that of `content` under any of the keys. */
export async function judgeSignatures(
  algorithm: HmacAlgorithm,
  keys: readonly Uint8Array<ArrayBuffer>[],
  signatures: readonly Uint8Array<ArrayBuffer>[],
  content: Uint8Array<ArrayBuffer>,
): Promise<Judgement> {
  for (const bytes of keys) {
    const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: HASHES[algorithm].name }, false, [
      "verify",
    ]);
    for (const signature of signatures) {
      if (await crypto.subtle.verify("HMAC", key, signature, content)) return null;
    }
  }
  return WRONG;
}

/** What timestamped schemes sign: some text, then the raw body. */
export function signedContent(before: string, rawBody: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const head = utf8(before);
  const content = new Uint8Array(head.length + rawBody.length);
  content.set(head);
  content.set(rawBody, head.length);
  return content;
}

export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new TextEncoder().encode(text));
}
