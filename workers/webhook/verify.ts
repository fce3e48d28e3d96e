// Verification of a delivery, before anything of it is stored: from a source's settings to the scheme, and from a refusal
// to its status. Promises: without secrets nothing but `none` lets a delivery in, and `none` only when it is chosen.
import type { Verification } from "../../shared/api/source-settings.ts";
import { bodyHmac } from "./schemes/hmac.ts";
import { linear } from "./schemes/linear.ts";
import type { Refusal, Scheme, SignedRequest } from "./schemes/scheme.ts";
import { slack } from "./schemes/slack.ts";
import { standardWebhooks } from "./schemes/standard-webhooks.ts";
import { stripe } from "./schemes/stripe.ts";
import { basic, bearer, token } from "./schemes/tokens.ts";

export type Verified =
  | { readonly ok: true }
  | { readonly ok: false; readonly status: 400 | 401; readonly refusal: Refusal };

/**
 * Whether the delivery was sent by someone who has one of the secrets. `now` is Unix milliseconds. Never throws for what a
 * sender can send.
 */
export async function verify(
  verification: Verification,
  secrets: readonly string[],
  request: SignedRequest,
  now: number,
): Promise<Verified> {
  if (verification.scheme === "none") return { ok: true };
  const refusal: Refusal | null =
    secrets.length === 0 ? { reason: "no secret" } : await schemeOf(verification)(request, secrets, now);
  return refusal === null ? { ok: true } : { ok: false, status: statusOf(refusal), refusal };
}

function schemeOf(verification: Exclude<Verification, { scheme: "none" }>): Scheme {
  switch (verification.scheme) {
    case "standard-webhooks":
      return standardWebhooks;
    // https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
    case "github":
      return bodyHmac({ algorithm: "sha256", header: "x-hub-signature-256", prefix: "sha256=", encoding: "hex" });
    case "stripe":
      return stripe;
    case "slack":
      return slack;
    // https://shopify.dev/docs/apps/build/webhooks/subscribe/https
    case "shopify":
      return bodyHmac({ algorithm: "sha256", header: "x-shopify-hmac-sha256", prefix: "", encoding: "base64" });
    // https://docs.gitlab.com/user/project/integrations/webhooks/ (a source with a signing token: standard-webhooks)
    case "gitlab":
      return token("x-gitlab-token");
    case "linear":
      return linear;
    case "trigger":
      return bodyHmac({ algorithm: "sha256", header: verification.header, prefix: "", encoding: "hex" });
    case "hmac":
      return bodyHmac(verification);
    case "token":
      return token(verification.header);
    case "bearer":
      return bearer;
    case "basic":
      return basic;
  }
}

/** 400 for what cannot be judged, 401 for what was judged and found wanting. */
function statusOf(refusal: Refusal): 400 | 401 {
  return refusal.reason === "malformed" ? 400 : 401;
}

/** What a refused sender, or the developer who configures it, is told. */
export function describeRefusal(refusal: Refusal): string {
  switch (refusal.reason) {
    case "no secret":
      return "This source has no secret yet: give it the provider's.";
    case "missing":
      return `The header ${refusal.header} is missing.`;
    case "malformed":
      return `The header ${refusal.header} is not of the form that this source expects, or was sent twice.`;
    case "too old":
      return "The delivery was signed too long ago: 300 seconds are allowed.";
    case "too new":
      return "The delivery was signed in the future: 300 seconds are allowed.";
    case "wrong":
      return "The signature or token is not one that this source's secrets give.";
  }
}
