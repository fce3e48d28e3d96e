// What a source answers to a provider, and what it stores: nothing before it is proved, and each delivery once.
import { listDurableObjectIds } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { sourceId, sourceName } from "../../shared/ids/source-ids.ts";
import { WEBHOOK_BODY_MAX_BYTES } from "../../shared/kernel/limits.ts";
import { keySecrets } from "../../workers/env.ts";
import { ENCODE, hmac } from "../../workers/webhook/schemes/senders.fixture.ts";
import { bindings, eventually, getJson, request } from "./support.ts";
import {
  deliver,
  deliveryRows,
  eventIds,
  insideSource,
  listenTo,
  makeSource,
  type TestSource,
} from "./webhook-support.ts";

const SECRET = "a secret of the provider";
const bytes = (text: string) => new TextEncoder().encode(text);
const github = () => makeSource("github", { secrets: [SECRET] });

async function signed(body: string, more: Record<string, string> = {}): Promise<Record<string, string>> {
  const signature = ENCODE.hex(await hmac("sha256", bytes(SECRET), bytes(body)));
  return { "x-github-event": "issues", "x-hub-signature-256": `sha256=${signature}`, ...more };
}

describe("a delivery", () => {
  it("that is proved becomes an event, and a run, in each environment", async () => {
    const source = await github();
    const hosts = [await listenTo(source.live, "github"), await listenTo(source.development, "github")];
    const body = JSON.stringify({ action: "opened" });
    const answer = await deliver(source, body, await signed(body, { "x-github-delivery": "one", cookie: "a=b" }));
    expect(answer.status).toBe(200);
    const { id } = (await answer.json()) as { id: string };
    expect(id).toMatch(/^dlv_[0-9A-Za-z]{31}$/);
    for (const host of hosts) expect((await host.offer()).input).toEqual({ action: "opened" });
    for (const environment of [source.live, source.development]) {
      expect(await eventIds(environment)).toEqual([id]);
      const event = await getJson<{ context: { headers: object } }>(environment.key, `/api/v1/events/${id}`);
      expect(Object.keys(event.context.headers).sort()).toEqual([
        "content-length",
        "content-type",
        "x-github-delivery",
        "x-github-event",
      ]);
    }
  });

  it("that is sent again is answered with the first one's id and routed once", async () => {
    const source = await github();
    const body = JSON.stringify({ action: "opened" });
    const headers = await signed(body, { "x-github-delivery": "one" });
    const answers = await Promise.all([1, 2, 3].map(() => deliver(source, body, headers)));
    const ids = await Promise.all(answers.map(async (answer) => ((await answer.json()) as { id: string }).id));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(new Set(ids).size).toBe(1);
    expect(answers.filter(({ headers: h }) => h.get("idempotent-replayed") === "true")).toHaveLength(2);
    expect(await deliveryRows(source)).toHaveLength(1);
    await eventually(async () => expect(await eventIds(source.live)).toEqual([ids[0]]));
  });

  it("under the id of another is kept, marked, and not routed", async () => {
    const source = await github();
    const send = async (body: string) =>
      (await deliver(source, body, await signed(body, { "x-github-delivery": "one" }))).json();
    const first = (await send("1")) as { id: string };
    const second = (await send("2")) as { id: string; conflictsWith: string };
    expect(second.conflictsWith).toBe(first.id);
    expect(await source.stub.readDelivery(second.id)).toMatchObject({
      status: "conflict",
      conflictsWith: first.id,
      copies: [],
      rawBody: bytes("2"),
    });
    await eventually(async () => expect(await eventIds(source.live)).toEqual([first.id]));
  });

  it("without an id is a new one each time; Idempotency-Key makes it one", async () => {
    const source = await makeSource("acme", { verification: { scheme: "none" } });
    const ids = new Set<string>();
    for (const headers of [{}, {}, { "idempotency-key": "k" }, { "idempotency-key": "k" }] as Record<string, string>[])
      ids.add(((await (await deliver(source, "{}", headers)).json()) as { id: string }).id);
    expect(ids.size).toBe(3);
  });

  it("leaves no proof in the source's storage", async () => {
    const source = await makeSource("acme", { verification: { scheme: "bearer" }, secrets: ["the-bearer-secret"] });
    expect((await deliver(source, "{}", { authorization: "Bearer the-bearer-secret" })).status).toBe(200);
    const stored = await insideSource(source, ({ storage }) =>
      ["source", "deliveries"].flatMap((table) =>
        storage.sql
          .exec(`SELECT * FROM ${table}`)
          .toArray()
          .flatMap((row) => Object.values(row))
          .map((value) => (value instanceof ArrayBuffer ? new TextDecoder().decode(value) : String(value))),
      ),
    );
    expect(stored.length).toBeGreaterThan(10);
    expect(stored.filter((text) => text.includes("the-bearer-secret"))).toEqual([]);
    expect(await source.stub.secrets()).toEqual(["the-bearer-secret"]);
  });
});

describe("refused, with nothing stored:", () => {
  const BODY = JSON.stringify({ action: "opened" });
  const stripe = () => makeSource("stripe", { secrets: ["whsec_stripe"] });
  async function stripeHeader(secondsAgo: number): Promise<Record<string, string>> {
    const time = String(Math.floor(Date.now() / 1000) - secondsAgo);
    const v1 = ENCODE.hex(await hmac("sha256", bytes("whsec_stripe"), bytes(`${time}.${BODY}`)));
    return { "stripe-signature": `t=${time},v1=${v1}` };
  }

  const cases: [string, number, () => Promise<[TestSource, BodyInit, Record<string, string>]>][] = [
    ["a tampered body", 401, async () => [await github(), BODY.replace("opened", "closed"), await signed(BODY)]],
    ["a missing header", 401, async () => [await github(), BODY, { "x-github-event": "issues" }]],
    [
      "a doubled header",
      400,
      async () => {
        const one = (await signed(BODY))["x-hub-signature-256"];
        return [await github(), BODY, { "x-hub-signature-256": `${one}, ${one}` }];
      },
    ],
    [
      "a signature in another encoding",
      400,
      async () => {
        const signature = ENCODE.base64(await hmac("sha256", bytes(SECRET), bytes(BODY)));
        return [await github(), BODY, { "x-hub-signature-256": `sha256=${signature}` }];
      },
    ],
    ["a time 301 seconds ago", 401, async () => [await stripe(), BODY, await stripeHeader(301)]],
    ["a source without a secret yet", 401, async () => [await makeSource("github"), BODY, await signed(BODY)]],
    [
      "a byte more than 1 MiB",
      413,
      async () => {
        const body = "a".repeat(WEBHOOK_BODY_MAX_BYTES + 1);
        return [await github(), body, await signed(body)];
      },
    ],
    [
      "a stream of a byte more than 1 MiB",
      413,
      async () => {
        const body = new Response("a".repeat(WEBHOOK_BODY_MAX_BYTES + 1)).body;
        return [await github(), body as BodyInit, await signed("")];
      },
    ],
  ];
  it.each(cases)("%s (%i)", async (_, status, make) => {
    const [source, body, headers] = await make();
    const answer = await deliver(source, body, headers);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toEqual({ error: expect.any(String) });
    expect(await deliveryRows(source)).toEqual([]);
  });

  it("a time 299 seconds ago is accepted", async () => {
    expect((await deliver(await stripe(), BODY, await stripeHeader(299))).status).toBe(200);
  });

  it("exactly 1 MiB is accepted", async () => {
    const source = await makeSource("acme", { verification: { scheme: "none" } });
    const answer = await deliver(source, "a".repeat(WEBHOOK_BODY_MAX_BYTES), { "content-type": "text/plain" });
    expect(answer.status).toBe(200);
    await eventually(async () => expect(await eventIds(source.live)).toHaveLength(1));
  });
});

describe("a URL", () => {
  it("that was made up is a 404 that wakes no object", async () => {
    const { path } = await makeSource();
    const before = (await listDurableObjectIds(bindings.WEBHOOK_SOURCE)).length;
    const last = path.at(-1) === "0" ? "1" : "0";
    for (const wrong of [path.slice(0, -1) + last, path.slice(0, -1), `${path}0`, "/webhooks/src_", "/webhooks/x"]) {
      const answer = await request(wrong, { method: "POST", body: "{}" });
      expect([wrong, answer.status, await answer.json()]).toEqual([
        wrong,
        404,
        { error: "There is nothing at this address." },
      ]);
    }
    expect(await listDurableObjectIds(bindings.WEBHOOK_SOURCE)).toHaveLength(before);
  });

  it("of a source that is not there looks the same, and leaves its object empty", async () => {
    const { organizationId } = await makeSource();
    const secrets = await keySecrets(bindings);
    const path = `/webhooks/${await sourceId(secrets, organizationId, "other")}`;
    const answer = await request(path, { method: "POST", body: "{}" });
    expect([answer.status, await answer.json()]).toEqual([404, { error: "There is nothing at this address." }]);
    const stub = bindings.WEBHOOK_SOURCE.getByName(await sourceName(organizationId, "other"));
    const tables = await insideSource({ stub }, ({ storage }) =>
      storage.sql.exec("SELECT name FROM sqlite_master WHERE name NOT GLOB '_cf_*'").toArray(),
    );
    expect(tables).toEqual([]);
  });

  it("takes POST, and nothing but handshakes else", async () => {
    const { path } = await makeSource();
    for (const method of ["GET", "PUT", "DELETE", "PATCH"]) {
      const answer = await request(path, { method });
      expect([method, answer.status, answer.headers.get("allow")]).toEqual([method, 405, "POST"]);
    }
  });
});

describe("a handshake is answered, and nothing is stored:", () => {
  it("Meta's, with a token of the source", async () => {
    const source = await makeSource("meta", { secrets: ["tok"] });
    const ask = (token: string) =>
      request(`${source.path}?hub.mode=subscribe&hub.challenge=c1&hub.verify_token=${token}`);
    const answer = await ask("tok");
    expect([answer.status, await answer.text(), answer.headers.get("content-type")]).toEqual([
      200,
      "c1",
      "text/plain; charset=utf-8",
    ]);
    expect((await ask("other")).status).toBe(401);
    expect(await deliveryRows(source)).toEqual([]);
  });

  it("Slack's, when it is signed", async () => {
    const source = await makeSource("slack", { secrets: ["slack"] });
    const body = JSON.stringify({ type: "url_verification", challenge: "c2" });
    const time = String(Math.floor(Date.now() / 1000));
    const signature = ENCODE.hex(await hmac("sha256", bytes("slack"), bytes(`v0:${time}:${body}`)));
    const headers = { "x-slack-request-timestamp": time, "x-slack-signature": `v0=${signature}` };
    const answer = await deliver(source, body, headers);
    expect([answer.status, await answer.text()]).toEqual([200, "c2"]);
    expect((await deliver(source, body, { ...headers, "x-slack-signature": `v0=${"0".repeat(64)}` })).status).toBe(401);
    expect(await deliveryRows(source)).toEqual([]);
  });

  it("Microsoft's", async () => {
    const source = await makeSource("graph", { handshake: "microsoft", verification: { scheme: "none" } });
    const answer = await request(`${source.path}?validationToken=t%3Ci%3E`, { method: "POST" });
    expect([answer.status, await answer.text()]).toEqual([200, "t&lt;i&gt;"]);
    expect(await deliveryRows(source)).toEqual([]);
  });
});
