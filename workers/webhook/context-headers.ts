// The headers of a delivery that a workflow sees, as `context.headers`. Promises: nothing that proves who someone is (a
// signature, a token, a cookie) gets into an event, where a key that may read runs could see it.
import type { Verification } from "../../shared/api/source-settings.ts";

/** Hop by hop, or added on the way by Cloudflare: about the connection, not the delivery. `cf-` by its prefix. */
const OF_THE_WAY = new Set([
  "cdn-loop",
  "connection",
  "forwarded",
  "host",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "true-client-ip",
  "upgrade",
  "via",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-real-ip",
]);
/** In the names of what providers sign and prove themselves with: every scheme's own headers, and those of schemes unknown. */
const PROOF = /signature|authorization|cookie|token|secret|password|hmac|api-?key|credential/;

/** By lower-case name. A header that was sent twice is one value, joined by ", ". */
export function contextHeaders(headers: Headers, verification: Verification): Record<string, string> {
  const proof = "header" in verification ? verification.header.toLowerCase() : null;
  const shown = [...headers].filter(
    ([name]) =>
      name !== proof &&
      !PROOF.test(name) &&
      !OF_THE_WAY.has(name) &&
      !name.startsWith("cf-") &&
      !name.startsWith("proxy-"),
  );
  return Object.fromEntries(shown);
}
