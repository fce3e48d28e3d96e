import { describe, expect, it } from "vitest";
import type { Naming, Verification } from "../../shared/api/source-settings.ts";
import { deliveryIdOf, nameEvent } from "./naming.ts";
import { namingFor } from "./presets.ts";

const NONE: Verification = { scheme: "none" };
const from = (...paths: string[]): Naming => ({ from: "body", paths });

describe("the name of an event", () => {
  it.each([
    { service: "github", headers: { "X-GitHub-Event": "issues" }, body: { action: "opened" }, name: "issues" },
    { service: "shopify", headers: { "x-shopify-topic": "orders/create" }, body: {}, name: "orders/create" },
    { service: "gitlab", headers: { "X-Gitlab-Event": "Merge Request Hook" }, body: {}, name: "Merge Request Hook" },
    { service: "stripe", headers: {}, body: { type: "invoice.paid" }, name: "invoice.paid" },
    { service: "stripecom", headers: {}, body: { type: "invoice.paid" }, name: "invoice.paid" },
    { service: "slack", headers: {}, body: { type: "event_callback", event: { type: "message" } }, name: "message" },
    { service: "slack", headers: {}, body: { type: "block_actions" }, name: "block_actions" },
    { service: "slack", headers: {}, body: { command: "/deploy", text: "" }, name: "/deploy" },
    { service: "linear", headers: {}, body: { type: "Issue", action: "create" }, name: "Issue" },
    { service: "svix", headers: {}, body: { type: "contact.created" }, name: "contact.created" },
    { service: "calcom", headers: {}, body: { triggerEvent: "BOOKING_CREATED" }, name: "BOOKING_CREATED" },
    { service: "typeformcom", headers: {}, body: { event_type: "form_response" }, name: "form_response" },
    { service: "whatsapp", headers: {}, body: { object: "page" }, name: "page" },
    { service: "unknown", headers: { "X-GitHub-Event": "issues" }, body: { type: "a" }, name: null },
  ])("of $service is $name", ({ service, headers, body, name }) => {
    expect(nameEvent(namingFor(service), new Headers(headers as Record<string, string>), body)).toBe(name);
  });

  it.each<{ naming: Naming; body: unknown; name: string | null }>([
    { naming: { from: "fixed", name: "paid" }, body: null, name: "paid" },
    { naming: { from: "any" }, body: { type: "a" }, name: null },
    { naming: from("a.b", "c"), body: { a: { b: "first" }, c: "second" }, name: "first" },
    { naming: from("a.b", "c"), body: { a: "text", c: "second" }, name: "second" },
    { naming: from("a.0.type"), body: { a: [{ type: "in a list" }] }, name: "in a list" },
    { naming: from("a.1.type"), body: { a: [{ type: "in a list" }] }, name: null },
  ])("follows the settings: $naming", ({ naming, body, name }) => {
    expect(nameEvent(naming, new Headers(), body)).toBe(name);
  });

  it.each([
    undefined,
    null,
    "type",
    5,
    [],
    {},
    { type: 5 },
    { type: null },
    { type: "" },
    { type: ["a"] },
    { type: {} },
  ])("is none for a body without text there: %j", (body) => {
    expect(nameEvent(from("type"), new Headers(), body)).toBeNull();
  });

  it.each(["type", "__proto__.type"])("is nothing that a value inherits: %s", (path) => {
    expect(nameEvent(from(path), new Headers(), Object.create({ type: "inherited" }))).toBeNull();
  });

  it("is none when it is longer than names are", () => {
    expect(nameEvent(from("type"), new Headers(), { type: "a".repeat(257) })).toBeNull();
    expect(
      nameEvent({ from: "header", header: "X-Event" }, new Headers({ "x-event": "a".repeat(257) }), {}),
    ).toBeNull();
    expect(
      nameEvent({ from: "header", header: "X-Event" }, new Headers({ "x-event": "a".repeat(256) }), {}),
    ).not.toBeNull();
  });
});

describe("the id of a delivery", () => {
  it.each<{
    service: string;
    verification?: Verification;
    headers?: Record<string, string>;
    body?: unknown;
    id: string | null;
  }>([
    { service: "github", headers: { "X-GitHub-Delivery": "72d3162e" }, id: "72d3162e" },
    {
      service: "mine",
      verification: { scheme: "github" },
      headers: { "X-GitHub-Delivery": "72d3162e" },
      id: "72d3162e",
    },
    { service: "stripe", body: { id: "evt_1" }, id: "evt_1" },
    { service: "slack", body: { event_id: "Ev08MFMKH6" }, id: "Ev08MFMKH6" },
    {
      service: "shopify",
      headers: { "X-Shopify-Webhook-Id": "b54557e4", "X-Shopify-Event-Id": "98880550" },
      id: "b54557e4",
    },
    { service: "shopify", headers: { "X-Shopify-Event-Id": "98880550" }, id: null },
    {
      service: "gitlab",
      headers: { "Idempotency-Key": "f5e5f430", "X-Gitlab-Event-UUID": "13792a34" },
      id: "f5e5f430",
    },
    { service: "gitlab", headers: { "X-Gitlab-Event-UUID": "13792a34" }, id: "13792a34" },
    { service: "linear", headers: { "Linear-Delivery": "234d1a4e" }, id: "234d1a4e" },
    { service: "mine", verification: { scheme: "standard-webhooks" }, headers: { "svix-id": "msg_1" }, id: "msg_1" },
    { service: "svix", headers: { "webhook-id": "msg_2" }, id: "msg_2" },
    { service: "mine", headers: { "Idempotency-Key": "a" }, id: "a" },
    { service: "mine", headers: { "X-Request-Id": "a" }, body: { id: "b" }, id: null },
    { service: "stripe", headers: { "Idempotency-Key": "a" }, body: "text", id: null },
    { service: "stripe", body: { id: 5 }, id: null },
    { service: "stripe", body: { id: "line\nend" }, id: null },
    { service: "stripe", body: { id: "x".repeat(257) }, id: null },
    { service: "github", headers: { "X-GitHub-Delivery": "" }, id: null },
  ])("of $service with $headers $body is $id", ({ service, verification = NONE, headers = {}, body = {}, id }) => {
    expect(deliveryIdOf(service, verification, new Headers(headers), body)).toBe(id);
  });
});
