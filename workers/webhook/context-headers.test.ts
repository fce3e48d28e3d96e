import { describe, expect, it } from "vitest";
import { contextHeaders } from "./context-headers.ts";
import { PRESETS } from "./presets.ts";
import { SENDERS } from "./schemes/senders.fixture.ts";

describe("the headers that a workflow sees", () => {
  it("are those that speak of the delivery", () => {
    const shown = {
      "content-type": "application/json",
      "user-agent": "GitHub-Hookshot/044aadd",
      "x-github-event": "issues",
      "x-github-delivery": "72d3162e",
      "x-gitlab-event": "Push Hook",
      "x-shopify-topic": "orders/create",
      "x-slack-request-timestamp": "1531420618",
      "webhook-id": "msg_1",
      "webhook-timestamp": "1614265330",
      "linear-event": "Issue",
    };
    expect(contextHeaders(new Headers(shown), { scheme: "none" })).toEqual(shown);
  });

  it.each([
    "Authorization",
    "Proxy-Authorization",
    "Proxy-Anything",
    "Cookie",
    "X-Hub-Signature",
    "X-Hub-Signature-256",
    "Stripe-Signature",
    "X-Twilio-Signature",
    "X-Goog-Channel-Token",
    "X-Telegram-Bot-Api-Secret-Token",
    "X-Api-Key",
    "Apikey",
    "X-Password",
    "CF-Connecting-IP",
    "CF-Ray",
    "cf-anything",
    "X-Forwarded-For",
    "X-Real-IP",
    "True-Client-IP",
    "Host",
  ])("are without %s", (name) => {
    const headers = new Headers({ [name]: "value", "x-kept": "1" });
    expect(contextHeaders(headers, { scheme: "none" })).toEqual({ "x-kept": "1" });
  });

  it.each(SENDERS)("hold nothing that proves a delivery: $name", async ({ sign, secret, proof, verification }) => {
    const headers = new Headers(await sign(new TextEncoder().encode("a body"), "1763800000", secret));
    const value = headers.get(proof) ?? "";
    expect(value).not.toBe("");
    expect(Object.values(contextHeaders(headers, verification))).not.toContain(value);
    // Nor for a source that does not know the scheme, but for names that were made up.
    if (proof !== "x-mine") expect(Object.values(contextHeaders(headers, { scheme: "none" }))).not.toContain(value);
  });

  it("keep the header that names the event, for every preset", () => {
    for (const { naming, verification } of Object.values(PRESETS)) {
      if (naming.from !== "header") continue;
      expect(contextHeaders(new Headers({ [naming.header]: "a" }), verification)).toEqual({
        [naming.header.toLowerCase()]: "a",
      });
    }
  });

  it("have a header that was sent twice as one, and __proto__ as a name like any other", () => {
    const headers = new Headers([
      ["X-A", "1"],
      ["x-a", "2"],
      ["__proto__", "3"],
    ]);
    const shown = contextHeaders(headers, { scheme: "none" });
    expect(Object.entries(shown).sort()).toEqual([
      ["__proto__", "3"],
      ["x-a", "1, 2"],
    ]);
  });
});
