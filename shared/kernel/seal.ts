// Sealing, for values that a later attempt needs but that may never be stored in the clear. AES-GCM under a key derived
// from the deployment's secret: a stolen database holds only ciphertext.
import type { KeySecrets } from "../ids/keys.ts";

type AesKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/** Separates this key from every other use of the same secret. */
const PURPOSE = new TextEncoder().encode("switchyard-seal");
const IV_BYTES = 12;

async function sealingKey(secrets: KeySecrets, version: number): Promise<AesKey | null> {
  const secret = secrets.byVersion.get(version);
  if (!secret) return null;
  const bytes = await crypto.subtle.sign("HMAC", secret, PURPOSE);
  return crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);
}

/** One byte of the secret's version, 12 of the nonce, then the ciphertext with its tag. */
export async function seal(secrets: KeySecrets, text: string): Promise<Uint8Array> {
  const key = await sealingKey(secrets, secrets.current);
  if (!key) throw new Error("the current secret is missing");
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, new TextEncoder().encode(text));
  const out = new Uint8Array(1 + IV_BYTES + sealed.byteLength);
  out[0] = secrets.current;
  out.set(iv, 1);
  out.set(new Uint8Array(sealed), 1 + IV_BYTES);
  return out;
}

/** The text again; null if its secret was retired or the bytes are not a sealed text. */
export async function unseal(secrets: KeySecrets, sealed: Uint8Array<ArrayBuffer>): Promise<string | null> {
  const key = await sealingKey(secrets, sealed[0] ?? 0);
  if (!key) return null;
  try {
    const iv = sealed.subarray(1, 1 + IV_BYTES);
    const text = await crypto.subtle.decrypt({ name: "AES-GCM", iv }, key, sealed.subarray(1 + IV_BYTES));
    return new TextDecoder().decode(text);
  } catch {
    return null;
  }
}
