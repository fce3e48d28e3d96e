// What every scheme is: a pure judgement over the request as it came. Promises: nothing is parsed before it is proved but
// the headers that carry the proof, bytes are compared in constant time, and an answer never holds a secret.
import { SIGNATURE_HEADER_MAX_CHARS, SIGNATURE_TOLERANCE_MS } from "../../../shared/kernel/limits.ts";

export interface SignedRequest {
  readonly headers: Headers;
  /** The body as it came, not a byte changed. */
  readonly rawBody: Uint8Array<ArrayBuffer>;
}

/**
 * Why a delivery is refused. "missing" and "malformed" name a header; a header that was sent twice reaches us joined by
 * ", " and is malformed in every scheme.
 */
export type Refusal =
  | { readonly reason: "no secret" }
  | { readonly reason: "missing"; readonly header: string }
  | { readonly reason: "malformed"; readonly header: string }
  | { readonly reason: "too old" }
  | { readonly reason: "too new" }
  | { readonly reason: "wrong" };

/** Null when the delivery is proved. */
export type Judgement = Refusal | null;

/** A scheme with its settings taken in. Secrets are tried in their order; `now` is Unix milliseconds. */
export type Scheme = (request: SignedRequest, secrets: readonly string[], now: number) => Promise<Judgement>;

export const WRONG: Refusal = { reason: "wrong" };

export function missing(header: string): Refusal {
  return { reason: "missing", header };
}

export function malformed(header: string): Refusal {
  return { reason: "malformed", header };
}

/** The value of a header that must be there: empty is malformed, and so is one longer than any signature. */
export function requiredHeader(headers: Headers, name: string): { value: string } | { refusal: Refusal } {
  const value = headers.get(name);
  if (value === null) return { refusal: missing(name) };
  if (value === "" || value.length > SIGNATURE_HEADER_MAX_CHARS) return { refusal: malformed(name) };
  return { value };
}

/** Judges a time in Unix seconds that stands in `header`. Digits only: `1e9`, `+5` and ` 5` are no times. */
export function judgeTimestamp(text: string, header: string, now: number): Judgement {
  if (!/^[0-9]{1,12}$/.test(text)) return malformed(header);
  return judgeTime(Number(text) * 1000, now);
}

/** Judges a time in Unix milliseconds. 300 s are accepted both ways, not a millisecond more. */
export function judgeTime(time: number, now: number): Judgement {
  if (now - time > SIGNATURE_TOLERANCE_MS) return { reason: "too old" };
  if (time - now > SIGNATURE_TOLERANCE_MS) return { reason: "too new" };
  return null;
}
