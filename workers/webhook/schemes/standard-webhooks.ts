// Standard Webhooks, and Svix under its own header names: base64 HMAC-SHA256 (`v1`) or Ed25519 (`v1a`) over
// `<id>.<timestamp>.<body>`, several signatures separated by spaces. A key is the secret's base64 part; a secret that
// begins with `whpk_` is a public key. https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
import { SIGNATURES_MAX } from "../../../shared/kernel/limits.ts";
import { decode, decodeBase64 } from "./encodings.ts";
import { judgeSignatures, signedContent } from "./hmac.ts";
import { type Judgement, judgeTimestamp, malformed, requiredHeader, type SignedRequest, WRONG } from "./scheme.ts";

type Bytes = Uint8Array<ArrayBuffer>;

export async function standardWebhooks(
  { headers, rawBody }: SignedRequest,
  secrets: readonly string[],
  now: number,
): Promise<Judgement> {
  // All three of one family: never the id of one and the signature of the other.
  const svix = !headers.has("webhook-signature") && (headers.has("svix-signature") || headers.has("svix-id"));
  const family = svix ? "svix" : "webhook";
  const id = requiredHeader(headers, `${family}-id`);
  if ("refusal" in id) return id.refusal;
  // A full stop in the id would let a part of it pass for the time: the specification forbids it.
  if (!/^[\x21-\x2b\x2d\x2f-\x7e]+$/.test(id.value)) return malformed(`${family}-id`);
  const timestamp = requiredHeader(headers, `${family}-timestamp`);
  if ("refusal" in timestamp) return timestamp.refusal;
  const signature = requiredHeader(headers, `${family}-signature`);
  if ("refusal" in signature) return signature.refusal;
  const signatures = readSignatures(signature.value);
  if (signatures === null) return malformed(`${family}-signature`);
  const untimely = judgeTimestamp(timestamp.value, `${family}-timestamp`, now);
  if (untimely !== null) return untimely;

  const content = signedContent(`${id.value}.${timestamp.value}.`, rawBody);
  const shared = secrets.filter((secret) => !isPublicKey(secret)).map(keyOf);
  if ((await judgeSignatures("sha256", shared.filter(isKey), signatures.v1, content)) === null) return null;
  for (const key of secrets.filter(isPublicKey).map(keyOf).filter(isKey)) {
    if (await signedByPublicKey(key, signatures.v1a, content)) return null;
  }
  return WRONG;
}

/** By version; other versions are left out, as the specification has it. Null when the header is not of the form. */
function readSignatures(header: string): { v1: Bytes[]; v1a: Bytes[] } | null {
  const parts = header.split(" ");
  if (parts.length > SIGNATURES_MAX) return null;
  const signatures = { v1: [] as Bytes[], v1a: [] as Bytes[] };
  for (const part of parts) {
    const [, version, encoded] = /^(v[0-9]+[a-z]*),([A-Za-z0-9+/]+={0,2})$/.exec(part) ?? [];
    if (version === undefined || encoded === undefined) return null;
    if (version !== "v1" && version !== "v1a") continue;
    const bytes = decode(encoded, "base64", version === "v1" ? 32 : 64);
    if (bytes === null) return null;
    signatures[version].push(bytes);
  }
  return signatures;
}

function isPublicKey(secret: string): boolean {
  return secret.startsWith("whpk_");
}

function keyOf(secret: string): Bytes | null {
  return decodeBase64(secret.replace(/^(whsec_|whpk_)/, ""));
}

function isKey(key: Bytes | null): key is Bytes {
  return key !== null && key.length > 0;
}

async function signedByPublicKey(bytes: Bytes, signatures: readonly Bytes[], content: Bytes): Promise<boolean> {
  if (bytes.length !== 32) return false;
  const key = await crypto.subtle.importKey("raw", bytes, "Ed25519", false, ["verify"]);
  for (const signature of signatures) {
    if (await crypto.subtle.verify("Ed25519", key, signature, content)) return true;
  }
  return false;
}
