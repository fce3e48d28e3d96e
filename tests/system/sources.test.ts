// Webhook sources through the management API: made, shown, changed and deleted by members; deliveries shown with both
// environments side by side, and redelivered.
import { createHmac } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ControlPlane, DATABASE, makeOrganization, startControlPlane } from "./control-plane.ts";

const SOURCES = "/api/v1/organizations/acme/sources";
let plane: ControlPlane;
let owner: string;
let stranger: string;

beforeAll(async () => {
  plane = await startControlPlane();
  ({ owner } = await makeOrganization(plane, "acme"));
  ({ owner: stranger } = await makeOrganization(plane, "other"));
});
afterAll(() => plane.stop());

const must = (method: string, path: string, body?: unknown) => plane.must(method, path, { as: owner, body });
const ask = (method: string, path: string, body?: unknown) => plane.ask(method, path, { as: owner, body });
const create = async (body: object) => (await must("POST", SOURCES, body)).body;
const at = ({ id }: { id: string }) => `${SOURCES}/${id}`;

async function until<T>(read: () => Promise<T>, fits: (value: T) => boolean): Promise<T> {
  for (let i = 0; i < 400; i++) {
    const value = await read();
    if (fits(value)) return value;
    await delay(25);
  }
  throw new Error("it did not happen");
}

async function deliver(url: string, body: string, secret: string, id: string = crypto.randomUUID()) {
  const signature = `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
  const headers = {
    "content-type": "application/json",
    "x-github-event": "issues",
    "x-github-delivery": id,
    "x-hub-signature-256": signature,
  };
  const answer = await fetch(url, { method: "POST", body, headers });
  return { status: answer.status, body: (await answer.json()) as { id: string; error?: string } };
}

describe(`a webhook source, on ${DATABASE}`, () => {
  it("is made, listed with its URL, changed, and deleted", async () => {
    const made = await create({ service: "gitlab", secrets: ["one"] });
    expect(made).toMatchObject({
      service: "gitlab",
      url: `${plane.url}/webhooks/${made.id}`,
      verification: { scheme: "gitlab" },
      naming: { from: "header", header: "X-Gitlab-Event" },
      handshake: "none",
      secrets: 1,
      environments: ["development", "live"],
      lastDeliveryAt: null,
    });
    expect((await must("GET", SOURCES)).body).toEqual({ data: [made], next: null });
    expect((await must("GET", at(made))).body).toEqual({ ...made, workflows: [] });
    const changed = await must("PATCH", at(made), {
      verification: { scheme: "standard-webhooks" },
      secrets: ["whsec_b25l", "whsec_dHdv"],
    });
    expect(changed.body).toMatchObject({ verification: { scheme: "standard-webhooks" }, secrets: 2 });
    expect((await must("POST", `${at(made)}/show`)).body).toEqual({ secrets: ["whsec_b25l", "whsec_dHdv"] });
    await must("DELETE", at(made));
    expect((await ask("GET", at(made))).status).toBe(404);
    expect((await fetch(made.url, { method: "POST" })).status).toBe(404);
    expect((await must("GET", SOURCES)).body.data).toEqual([]);
    const log = await must("GET", "/api/v1/organizations/acme/audit");
    const lines = log.body.data.map(({ action, subject }: Record<string, string>) => [action, subject]);
    for (const action of ["create", "change", "show", "delete"])
      expect(lines).toContainEqual([`source.${action}`, "gitlab"]);
  });

  it("is listed by pages", async () => {
    const services = ["shopify", "linear", "slack"];
    for (const service of services) await create({ service });
    const first = (await must("GET", `${SOURCES}?limit=2`)).body;
    const second = (await must("GET", `${SOURCES}?limit=2&cursor=${first.next}`)).body;
    const listed = [...first.data, ...second.data].map(({ service }) => service);
    expect([listed, second.next]).toEqual([services.sort(), null]);
    for (const { id } of [...first.data, ...second.data]) await must("DELETE", `${SOURCES}/${id}`);
  });

  it("is one for a service", async () => {
    const made = await create({ service: "stripe" });
    const again = await ask("POST", SOURCES, { service: "stripe", secrets: ["x"] });
    expect([again.status, again.body.error]).toEqual([409, expect.stringContaining("has a source for this service")]);
    expect((await must("GET", at(made))).body.secrets).toBe(0);
  });

  it.each([
    ["service", { service: "Not A Slug" }],
    ["verification", { service: "unknown-to-us" }],
    ["verification.scheme", { service: "x", verification: { scheme: "magic" } }],
    ["secrets.0", { service: "svix", secrets: ["not base64!"] }],
    ["secrets", { service: "x", verification: { scheme: "none" }, secrets: ["s"] }],
    ["secrets", { service: "github", secrets: ["1", "2", "3", "4", "5"] }],
    ["(body)", { service: "github", url: "mine" }],
  ])("is refused with %s named when that is of no use", async (path, body) => {
    const refused = await ask("POST", SOURCES, body);
    expect([refused.status, refused.body.fields?.map((field: { path: string }) => field.path)]).toEqual([422, [path]]);
    expect(JSON.stringify(refused.body)).not.toContain("not base64!");
  });

  it("of another organization is as one that is not there", async () => {
    const made = await create({ service: "typeform" });
    const theirs = `/api/v1/organizations/other/sources/${made.id}`;
    for (const [method, path, body] of [
      ["GET", theirs],
      ["PATCH", theirs, { secrets: [] }],
      ["DELETE", theirs],
      ["POST", `${theirs}/show`],
      ["GET", `${theirs}/deliveries`],
      ["POST", `${theirs}/redeliver`, { status: "parked" }],
    ] as const) {
      const answer = await plane.ask(method, path, { as: stranger, body });
      expect([method, answer.status, answer.body]).toEqual([method, 404, { error: "There is no such source." }]);
    }
    expect((await plane.must("GET", "/api/v1/organizations/other/sources", { as: stranger })).body.data).toEqual([]);
  });

  it("keeps nothing in Postgres but lines of the audit log", async () => {
    const made = await create({ service: "linear", secrets: ["a-secret-of-linear"] });
    const { rows: tables } = await plane.pool.query("select tablename from pg_tables where schemaname = 'public'");
    for (const { tablename } of tables) {
      const { rows } = await plane.pool.query(`select to_jsonb(t)::text as text from "${tablename}" t`);
      const text = rows.map((row: { text: string }) => row.text).join();
      expect([tablename, text.includes("a-secret-of-linear"), text.includes(made.id)]).toEqual([
        tablename,
        false,
        false,
      ]);
    }
  });
});

describe("deliveries", () => {
  it("are shown with both environments side by side, and redelivered to one of them", async () => {
    const made = await create({ service: "github", secrets: ["s1"] });
    const body = JSON.stringify({ action: "opened", text: "ü" });
    const sent = await deliver(made.url, body, "s1", "d1");
    expect(sent.status).toBe(200);
    const read = async () => (await must("GET", `${at(made)}/deliveries/${sent.body.id}`)).body;
    const delivered = await until(read, ({ status }) => status === "delivered");
    const half = { event: sent.body.id, state: "accepted", attempts: 1, nextTryAt: null, runs: [], runCount: 0 };
    expect(delivered).toMatchObject({
      id: sent.body.id,
      name: "issues",
      conflictsWith: null,
      headers: { "x-github-event": "issues", "x-github-delivery": "d1" },
      body: { text: body },
      environments: [
        { ...half, environment: "development", workflows: [], reached: true, earlier: [] },
        { ...half, environment: "live", workflows: [], reached: true, earlier: [] },
      ],
    });
    expect(JSON.stringify(delivered)).not.toContain("x-hub-signature");
    expect((await must("GET", at(made))).body.lastDeliveryAt).toBe(delivered.receivedAt);

    const again = await ask("POST", `${at(made)}/deliveries/${sent.body.id}/redeliver`, { environments: ["live"] });
    expect([again.status, again.body]).toEqual([202, { ids: [sent.body.id], exhausted: [], next: null }]);
    const twice = await until(
      read,
      ({ environments }) => environments[1].event === `${sent.body.id}_1` && environments[1].state === "accepted",
    );
    expect(twice.environments).toMatchObject([{ event: sent.body.id }, { earlier: [sent.body.id] }]);
  });

  it("are listed by status and pages, and redelivered by a filter", async () => {
    const { data } = (await must("GET", SOURCES)).body;
    const made = data.find(({ service }: { service: string }) => service === "github");
    const ids: string[] = [];
    for (const text of ["1", "2", "3"]) ids.unshift((await deliver(made.url, text, "s1")).body.id);
    const list = async (query: string) => (await must("GET", `${at(made)}/deliveries?${query}`)).body;
    await until(
      () => list("status=pending"),
      (page) => page.data.length === 0,
    );
    const first = await list("limit=2");
    expect(first.data.map(({ id }: { id: string }) => id)).toEqual(ids.slice(0, 2));
    expect((await list(`limit=1&cursor=${first.next}`)).data[0].id).toBe(ids[2]);
    expect((await list("status=parked")).data).toEqual([]);
    const from = (await must("GET", `${at(made)}/deliveries/${ids[1]}`)).body.receivedAt;
    const again = await must("POST", `${at(made)}/redeliver`, { from, status: "delivered", environments: ["live"] });
    expect(again.body.ids).toEqual([ids[1], ids[0]]);
    const read = async () => (await must("GET", `${at(made)}/deliveries/${ids[0]}`)).body;
    await until(
      read,
      ({ environments }) => environments[1].event === `${ids[0]}_1` && environments[1].state === "accepted",
    );
    for (const [path, body, status] of [
      ["deliveries?cursor=nothing", undefined, 422],
      ["deliveries?status=lost", undefined, 422],
      ["deliveries/dlv_none", undefined, 404],
      ["redeliver", {}, 422],
      ["redeliver", { status: "parked", environments: ["nowhere"] }, 422],
      ["deliveries/dlv_none/redeliver", {}, 404],
    ] as const) {
      const answer = await ask(body === undefined ? "GET" : "POST", `${at(made)}/${path}`, body);
      expect([path, answer.status]).toEqual([path, status]);
    }
  });

  it("are taken with the new secret and the old one while it is rotated, then with the new one only", async () => {
    const { data } = (await must("GET", SOURCES)).body;
    const made = data.find(({ service }: { service: string }) => service === "github");
    const statuses = async () => [
      (await deliver(made.url, "1", "s1")).status,
      (await deliver(made.url, "1", "s2")).status,
    ];
    expect(await statuses()).toEqual([200, 401]);
    await must("PATCH", at(made), { secrets: ["s2", "s1"] });
    expect(await statuses()).toEqual([200, 200]);
    await must("PATCH", at(made), { secrets: ["s2"] });
    expect(await statuses()).toEqual([401, 200]);
    await must("PATCH", at(made), { secrets: [] });
    expect((await deliver(made.url, "1", "s2")).body.error).toContain("no secret yet");
    await must("PATCH", at(made), { secrets: ["s1"] });
  });

  it("reach an environment that is added, and not one that is archived or receives none", async () => {
    const { data } = (await must("GET", SOURCES)).body;
    const made = data.find(({ service }: { service: string }) => service === "github");
    const environments = async () => (await must("GET", at(made))).body.environments;
    const collection = "/api/v1/organizations/acme/environments";
    await must("POST", collection, { slug: "staging", receivesWebhooks: true, receivesSchedules: false });
    expect(await environments()).toEqual(["development", "live", "staging"]);
    await must("PATCH", `${collection}/staging`, { receivesWebhooks: false });
    expect(await environments()).toEqual(["development", "live"]);
    await must("PATCH", `${collection}/staging`, { receivesWebhooks: true });
    await must("DELETE", `${collection}/staging`);
    expect(await environments()).toEqual(["development", "live"]);
  });

  it("are received, stored and handed over while Postgres is away", async () => {
    const { data } = (await must("GET", SOURCES)).body;
    const made = data.find(({ service }: { service: string }) => service === "github");
    await plane.setPostgres(false);
    const sent = await deliver(made.url, '{"away":true}', "s1");
    expect(sent.status).toBe(200);
    await plane.setPostgres(true);
    const read = async () => (await must("GET", `${at(made)}/deliveries/${sent.body.id}`)).body;
    await until(read, ({ status }) => status === "delivered");
  });
});

it("an organization that is deleted takes its sources along", async () => {
  const { owner: theirs } = await makeOrganization(plane, "gone");
  const path = "/api/v1/organizations/gone";
  const made = (
    await plane.must("POST", `${path}/sources`, { as: theirs, body: { service: "github", secrets: ["s"] } })
  ).body;
  expect((await deliver(made.url, "1", "s")).status).toBe(200);
  await plane.must("DELETE", path, { as: theirs });
  await until(
    () => deliver(made.url, "1", "s"),
    ({ status }) => status === 404,
  );
});
