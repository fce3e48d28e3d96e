// Deliveries signed by the packages that providers give to their senders, not by code of ours.
import { Webhook } from "standardwebhooks";
import Stripe from "stripe";
import { describe, expect, it } from "vitest";
import { verify } from "../verify.ts";
import type { SignedRequest } from "./scheme.ts";

const AT = 1_763_800_000;
const BODY = '{"id":"evt_1","type":"invoice.paid","data":{"name":"Zoë 🧾"}}';
const OLD = `whsec_${btoa("the old secret of 24 bytes")}`;
const NEW = `whsec_${btoa("the new secret of 24 bytes")}`;

const stripe = new Stripe("unused");
const stripeSignature = (secret: string, timestamp = AT) =>
  stripe.webhooks.generateTestHeaderString({ payload: BODY, secret, timestamp });
const standardSignature = (secret: string, timestamp = AT) =>
  new Webhook(secret).sign("msg_1", new Date(timestamp * 1000), BODY);

function request(headers: Record<string, string>): SignedRequest {
  return { headers: new Headers(headers), rawBody: new Uint8Array(new TextEncoder().encode(BODY)) };
}

/** Both schemes with a signature of the package, so that one table holds for both. */
const SCHEMES = [
  {
    verification: { scheme: "stripe" as const },
    signed: (secrets: readonly string[], timestamp = AT) => {
      const signatures = secrets.map((secret) => stripeSignature(secret, timestamp).replace(/^t=\d+,/, ""));
      return request({ "stripe-signature": [`t=${timestamp}`, ...signatures].join(",") });
    },
  },
  {
    verification: { scheme: "standard-webhooks" as const },
    signed: (secrets: readonly string[], timestamp = AT) =>
      request({
        "webhook-id": "msg_1",
        "webhook-timestamp": String(timestamp),
        "webhook-signature": secrets.map((secret) => standardSignature(secret, timestamp)).join(" "),
      }),
  },
];

describe.each(SCHEMES)("a delivery signed by the package of $verification.scheme", ({ verification, signed }) => {
  it("is accepted", async () => {
    expect(await verify(verification, [OLD], signed([OLD]), AT * 1000)).toEqual({ ok: true });
  });

  it.each([
    { what: "the provider signs with the old secret while we have both", secrets: [NEW, OLD], signers: [OLD] },
    { what: "the provider signs with the new secret while we have both", secrets: [OLD, NEW], signers: [NEW] },
    { what: "the provider signs with both while we have the old one", secrets: [OLD], signers: [NEW, OLD] },
    { what: "the provider signs with both while we have the new one", secrets: [NEW], signers: [NEW, OLD] },
  ])("is accepted while secrets rotate: $what", async ({ secrets, signers }) => {
    expect(await verify(verification, secrets, signed(signers), AT * 1000)).toEqual({ ok: true });
  });

  it("is refused once its secret was taken out", async () => {
    expect(await verify(verification, [NEW], signed([OLD]), AT * 1000)).toMatchObject({ ok: false, status: 401 });
  });

  it.each([
    { skew: -299, reason: null },
    { skew: -300, reason: null },
    { skew: -301, reason: "too old" },
    { skew: 299, reason: null },
    { skew: 300, reason: null },
    { skew: 301, reason: "too new" },
  ])("signed $skew s from now is judged: $reason", async ({ skew, reason }) => {
    const judged = await verify(verification, [OLD], signed([OLD], AT + skew), AT * 1000);
    expect(judged).toEqual(reason === null ? { ok: true } : { ok: false, status: 401, refusal: { reason } });
  });
});

it("takes the header that the package of Stripe writes as it stands", async () => {
  const { ok } = await verify(
    { scheme: "stripe" },
    [OLD],
    request({ "Stripe-Signature": stripeSignature(OLD) }),
    AT * 1000,
  );
  expect(ok).toBe(true);
});
