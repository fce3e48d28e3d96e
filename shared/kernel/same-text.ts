// Comparison of secrets in a time that does not depend on the received text.

/**
 * Compares codes of both texts under a key that exists for this one call, so that the time reveals nothing about the
 * texts. `crypto.subtle.timingSafeEqual` would do, but only workerd has it.
 */
export async function sameText(a: string, b: string): Promise<boolean> {
  const once = crypto.getRandomValues(new Uint8Array(32));
  const key = await crypto.subtle.importKey("raw", once, { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
  const code = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(a));
  return crypto.subtle.verify("HMAC", key, code, new TextEncoder().encode(b));
}
