// Examples that the providers publish, taken over as they stand: header, body, secret and signature.
import { describe, expect, it } from "vitest";
import type { Verification } from "../../../shared/api/source-settings.ts";
import { verify } from "../verify.ts";

interface Published {
  readonly source: string;
  readonly verification: Verification;
  readonly secret: string;
  readonly headers: Record<string, string>;
  readonly body: string;
  /** Unix seconds when it was signed. */
  readonly at: number;
}

const PUBLISHED: readonly Published[] = [
  {
    source: "GitHub, Validating webhook deliveries, Testing",
    verification: { scheme: "github" },
    secret: "It's a Secret to Everybody",
    headers: { "X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17" },
    body: "Hello, World!",
    at: 0,
  },
  {
    source: "Standard Webhooks, libraries/javascript/src/webhook.test.ts",
    verification: { scheme: "standard-webhooks" },
    secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    headers: {
      "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
      "webhook-timestamp": "1614265330",
      "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    },
    body: '{"test": 2432232314}',
    at: 1_614_265_330,
  },
  {
    source: "Svix, Verifying webhooks manually",
    verification: { scheme: "standard-webhooks" },
    secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    headers: {
      "svix-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
      "svix-timestamp": "1614265330",
      "svix-signature":
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= v1,bm9ldHUjKzFob2VudXRob2VodWUzMjRvdWVvdW9ldQo=",
    },
    body: '{"test": 2432232314}',
    at: 1_614_265_330,
  },
  {
    source: "Slack, Verifying requests from Slack",
    verification: { scheme: "slack" },
    secret: "8f742231b10e8888abcd99yyyzzz85a5",
    headers: {
      "X-Slack-Request-Timestamp": "1531420618",
      "X-Slack-Signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    },
    body: "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c",
    at: 1_531_420_618,
  },
];

describe("a delivery that a provider publishes as its example", () => {
  it.each(PUBLISHED)("is accepted: $source", async ({ verification, secret, headers, body, at }) => {
    const request = { headers: new Headers(headers), rawBody: new Uint8Array(new TextEncoder().encode(body)) };
    expect(await verify(verification, [secret], request, at * 1000)).toEqual({ ok: true });
  });

  it.each(PUBLISHED)("is refused under another secret: $source", async ({ verification, headers, body, at }) => {
    const request = { headers: new Headers(headers), rawBody: new Uint8Array(new TextEncoder().encode(body)) };
    const other = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    expect(await verify(verification, [other], request, at * 1000)).toEqual({
      ok: false,
      status: 401,
      refusal: { reason: "wrong" },
    });
  });
});
