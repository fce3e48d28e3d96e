// Equality of secrets in a time that does not depend on what was sent: it looks at digests, whole.
export async function sameText(a: string, b: string): Promise<boolean> {
  const [digestA, digestB] = await Promise.all([a, b].map(digestOf));
  return digestA !== undefined && digestB !== undefined && crypto.subtle.timingSafeEqual(digestA, digestB);
}

function digestOf(text: string): Promise<ArrayBuffer> {
  return crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
}
