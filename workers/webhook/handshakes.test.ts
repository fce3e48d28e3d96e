import { describe, expect, it } from "vitest";
import type { Handshake } from "../../shared/api/source-settings.ts";
import { handshakeByBody, handshakeByQuery, handshakeResponse } from "./handshakes.ts";

const URL_OF_SOURCE = "https://router.example/webhooks/src_1";

function ask(handshake: Handshake, method: string, query: Record<string, string> | string, tokens: string[] = []) {
  return handshakeByQuery(handshake, tokens, { method, url: `${URL_OF_SOURCE}?${new URLSearchParams(query)}` });
}

describe("Meta's handshake", () => {
  const asked = { "hub.mode": "subscribe", "hub.verify_token": "meatyhamhock", "hub.challenge": "1158201444" };

  it("is answered with the challenge when the token is one of the source's", async () => {
    expect(await ask("meta", "GET", asked, ["other", "meatyhamhock"])).toEqual({ status: 200, text: "1158201444" });
  });

  it.each([
    { why: "the token is another", query: asked, tokens: ["other"], status: 401 },
    { why: "the source has no token", query: asked, tokens: [], status: 401 },
    {
      why: "the token is the beginning",
      query: { ...asked, "hub.verify_token": "meaty" },
      tokens: ["meatyhamhock"],
      status: 401,
    },
    { why: "the token is empty", query: { ...asked, "hub.verify_token": "" }, tokens: ["meatyhamhock"], status: 401 },
    { why: "there is no token", query: "hub.mode=subscribe&hub.challenge=1", tokens: ["meatyhamhock"], status: 400 },
    {
      why: "there are two tokens",
      query: `${new URLSearchParams(asked)}&hub.verify_token=a`,
      tokens: ["meatyhamhock"],
      status: 400,
    },
    { why: "there is no challenge", query: { ...asked, "hub.challenge": "" }, tokens: ["meatyhamhock"], status: 400 },
    {
      why: "the mode is another",
      query: { ...asked, "hub.mode": "unsubscribe" },
      tokens: ["meatyhamhock"],
      status: 400,
    },
    {
      why: "the challenge is huge",
      query: { ...asked, "hub.challenge": "1".repeat(5000) },
      tokens: ["meatyhamhock"],
      status: 400,
    },
  ])("is refused when $why", async ({ query, tokens, status }) => {
    expect(await ask("meta", "GET", query, tokens)).toEqual({ status });
  });

  it("is none as a POST, without its mode, or to a source of another provider", async () => {
    expect(await ask("meta", "POST", asked, ["meatyhamhock"])).toBeNull();
    expect(await ask("meta", "GET", "a=b", ["meatyhamhock"])).toBeNull();
    for (const other of ["none", "slack", "microsoft"] as const) {
      expect(await ask(other, "GET", asked, ["meatyhamhock"])).toBeNull();
    }
  });
});

describe("Microsoft's handshake", () => {
  it("is answered with the decoded token, markup escaped", async () => {
    const url = `${URL_OF_SOURCE}?validationToken=Validation%3A+Testing+client+application%20reachability`;
    expect(await handshakeByQuery("microsoft", [], { method: "POST", url })).toEqual({
      status: 200,
      text: "Validation: Testing client application reachability",
    });
    expect(await ask("microsoft", "POST", { validationToken: "<script>alert(1)</script>" })).toEqual({
      status: 200,
      text: "&lt;script&gt;alert(1)&lt;/script&gt;",
    });
  });

  it("is refused when the token is empty or huge, and none without one or to another source", async () => {
    expect(await ask("microsoft", "POST", { validationToken: "" })).toEqual({ status: 400 });
    expect(await ask("microsoft", "POST", { validationToken: "a".repeat(5000) })).toEqual({ status: 400 });
    expect(await ask("microsoft", "POST", "a=b")).toBeNull();
    expect(await ask("microsoft", "GET", { validationToken: "a" })).toBeNull();
    expect(await ask("none", "POST", { validationToken: "a" })).toBeNull();
  });
});

describe("Slack's handshake", () => {
  it("is answered with the challenge", () => {
    const body = {
      token: "Jhj5dZrVaK7ZwHHjRyZWjbDl",
      challenge: "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P",
      type: "url_verification",
    };
    expect(handshakeByBody("slack", body)).toEqual({ status: 200, text: body.challenge });
  });

  it.each([{}, { challenge: 5 }, { challenge: "" }, { challenge: null }, { challenge: "a".repeat(5000) }])(
    "is refused without a challenge: %j",
    (rest) => {
      expect(handshakeByBody("slack", { type: "url_verification", ...rest })).toEqual({ status: 400 });
    },
  );

  it.each([null, "url_verification", [], { type: "event_callback", challenge: "a" }, { challenge: "a" }])(
    "is none in a delivery: %j",
    (body) => {
      expect(handshakeByBody("slack", body)).toBeNull();
    },
  );

  it("is none in a delivery to another source", () => {
    expect(handshakeByBody("none", { type: "url_verification", challenge: "a" })).toBeNull();
  });
});

describe("the answer", () => {
  it("is plain text that no browser takes for a page", async () => {
    const response = handshakeResponse({ status: 200, text: "<b>a</b>" });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("<b>a</b>");
    expect(Object.fromEntries(response.headers)).toEqual({
      "cache-control": "no-store",
      "content-security-policy": "default-src 'none'; sandbox",
      "content-type": "text/plain; charset=utf-8",
      "x-content-type-options": "nosniff",
    });
  });

  it.each([400, 401] as const)("has no body when the handshake is refused: %i", async (status) => {
    const response = handshakeResponse({ status });
    expect([response.status, await response.text()]).toEqual([status, ""]);
  });
});
