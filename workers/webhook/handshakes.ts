// The questions by which providers make sure, before they deliver, that a URL is yours. Nothing is stored for them.
// Promises: an answer that repeats what was asked is plain text that no browser takes for a page.

import type { Handshake } from "../../shared/api/source-settings.ts";
import { sameText } from "../../shared/kernel/same-text.ts";

/** What is answered to a handshake; null when the request is not one. */
export type HandshakeAnswer = { readonly status: 200; readonly text: string } | { readonly status: 400 | 401 } | null;

/** Challenges and tokens of providers are short; a longer one is none. */
const CHALLENGE_MAX_CHARS = 4_096;

/**
 * Handshakes that no signature covers, by their query: ask before verification.
 * Meta: GET with `hub.verify_token`, which is one of the source's `tokens`, and `hub.challenge`.
 * https://developers.facebook.com/docs/graph-api/webhooks/getting-started
 * Microsoft Graph: POST with `validationToken`. https://learn.microsoft.com/en-us/graph/change-notifications-delivery-webhooks
 */
export async function handshakeByQuery(
  handshake: Handshake,
  tokens: readonly string[],
  request: { readonly method: string; readonly url: string },
): Promise<HandshakeAnswer> {
  const query = new URL(request.url).searchParams;
  switch (handshake) {
    case "meta":
      return request.method === "GET" && query.has("hub.mode") ? answerMeta(query, tokens) : null;
    case "microsoft": {
      const token = request.method === "POST" ? query.get("validationToken") : null;
      // Its documentation asks to escape markup, beside answering with plain text.
      return token === null ? null : answerWith(token.replaceAll("<", "&lt;").replaceAll(">", "&gt;"));
    }
    case "slack":
    case "none":
      return null;
  }
}

/** Slack's `url_verification`, which is signed: ask after verification. https://docs.slack.dev/reference/events/url_verification */
export function handshakeByBody(handshake: Handshake, body: unknown): HandshakeAnswer {
  if (handshake !== "slack" || typeof body !== "object" || body === null) return null;
  if (!("type" in body) || body.type !== "url_verification") return null;
  return answerWith("challenge" in body ? body.challenge : undefined);
}

/** The answer as HTTP. */
export function handshakeResponse(answer: NonNullable<HandshakeAnswer>): Response {
  if (answer.status !== 200) return new Response(null, { status: answer.status });
  return new Response(answer.text, {
    headers: {
      "content-type": "text/plain; charset=utf-8",
      "x-content-type-options": "nosniff",
      "content-security-policy": "default-src 'none'; sandbox",
      "cache-control": "no-store",
    },
  });
}

async function answerMeta(query: URLSearchParams, tokens: readonly string[]): Promise<HandshakeAnswer> {
  const given = query.getAll("hub.verify_token");
  const [token] = given;
  if (query.get("hub.mode") !== "subscribe" || token === undefined || given.length > 1) return { status: 400 };
  let proved = false;
  for (const expected of tokens) proved = (await sameText(token, expected)) || proved;
  return proved ? answerWith(query.get("hub.challenge")) : { status: 401 };
}

function answerWith(challenge: unknown): HandshakeAnswer {
  if (typeof challenge !== "string" || challenge === "" || challenge.length > CHALLENGE_MAX_CHARS)
    return { status: 400 };
  return { status: 200, text: challenge };
}
