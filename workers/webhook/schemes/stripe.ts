// Stripe: `Stripe-Signature: t=<Unix seconds>,v1=<hex>[,v1=<hex>…]`, HMAC-SHA256 over `<t>.<body>`. While a secret is being
// rolled there is a `v1` for each; other schemes (`v0` of test mode) are left out. https://docs.stripe.com/webhooks/signature
import { SIGNATURES_MAX } from "../../../shared/kernel/limits.ts";
import { decode } from "./encodings.ts";
import { judgeSignatures, signedContent, utf8 } from "./hmac.ts";
import { type Judgement, judgeTimestamp, malformed, requiredHeader, type SignedRequest } from "./scheme.ts";

const HEADER = "stripe-signature";

export async function stripe(
  { headers, rawBody }: SignedRequest,
  secrets: readonly string[],
  now: number,
): Promise<Judgement> {
  const found = requiredHeader(headers, HEADER);
  if ("refusal" in found) return found.refusal;
  const read = readHeader(found.value);
  if (read === null) return malformed(HEADER);
  const untimely = judgeTimestamp(read.timestamp, HEADER, now);
  if (untimely !== null) return untimely;
  return judgeSignatures("sha256", secrets.map(utf8), read.signatures, signedContent(`${read.timestamp}.`, rawBody));
}

/** Null unless there is exactly one `t` and at least one `v1`. A header that was sent twice has two `t`, and a space. */
function readHeader(header: string): { timestamp: string; signatures: Uint8Array<ArrayBuffer>[] } | null {
  const parts = header.split(",");
  if (parts.length > 2 * SIGNATURES_MAX) return null;
  const times: string[] = [];
  const signatures: Uint8Array<ArrayBuffer>[] = [];
  for (const part of parts) {
    const [, key, value] = /^([a-z0-9]+)=([0-9a-zA-Z+ .-]*)$/.exec(part) ?? [];
    if (key === undefined || value === undefined) return null;
    if (key === "t") times.push(value);
    if (key !== "v1") continue;
    const signature = decode(value, "hex", 32);
    if (signature === null) return null;
    signatures.push(signature);
  }
  const [timestamp] = times;
  if (timestamp === undefined || times.length > 1) return null;
  return signatures.length === 0 || signatures.length > SIGNATURES_MAX ? null : { timestamp, signatures };
}
