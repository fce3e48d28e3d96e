// The shared rules of every route that takes an API key, from one table: one identical refusal for every kind of bad
// key, 403 only for a good key without the scope, and no object woken by a made-up key.
import { listDurableObjectIds } from "cloudflare:test";
import { beforeAll, describe, expect, it } from "vitest";
import type { KeyScope, NeededScope } from "../../shared/contracts/environment.ts";
import { newEnvironmentId, newKeyId } from "../../shared/ids/ids.ts";
import { deriveApiKey, parseKeySecrets } from "../../shared/ids/keys.ts";
import { bindings, makeEnvironment, makeKey, pushKeys, request, type TestEnvironment, TestHost } from "./support.ts";

interface Route {
  readonly method: string;
  readonly path: string;
  /** Scope that the key needs; "all" means a key without limits. */
  readonly scope: NeededScope;
  readonly allow: string;
}

const ROUTES: readonly Route[] = [
  { method: "POST", path: "/api/v1/events", scope: "events:send", allow: "POST, GET" },
  { method: "GET", path: "/api/v1/events", scope: "runs:read", allow: "POST, GET" },
  { method: "GET", path: "/api/v1/events/evt_1", scope: "runs:read", allow: "GET" },
  { method: "GET", path: "/api/v1/runs", scope: "runs:read", allow: "GET" },
  { method: "GET", path: "/api/v1/runs.json", scope: "runs:read", allow: "GET" },
  { method: "GET", path: "/api/v1/runs/run_1", scope: "runs:read", allow: "GET" },
  { method: "GET", path: "/api/v1/runs/run_1.json", scope: "runs:read", allow: "GET" },
  { method: "POST", path: "/api/v1/runs/run_1/cancel", scope: "all", allow: "POST" },
  { method: "POST", path: "/api/v1/runs/run_1/rerun", scope: "all", allow: "POST" },
  { method: "DELETE", path: "/api/v1/workflows/starter", scope: "all", allow: "DELETE" },
  { method: "POST", path: "/api/v1/workflows/starter/pause", scope: "all", allow: "POST" },
  { method: "POST", path: "/api/v1/workflows/starter/resume", scope: "all", allow: "POST" },
  { method: "GET", path: "/api/v1/workflows", scope: "runs:read", allow: "GET" },
  { method: "GET", path: "/api/v1/workflows/starter/runs", scope: "runs:read", allow: "GET" },
  { method: "GET", path: "/api/v1/workflows/starter/runs.json", scope: "runs:read", allow: "GET" },
];
const SCOPES: readonly KeyScope[] = ["events:send", "workflows:connect", "runs:read"];

function call({ method, path }: Pick<Route, "method" | "path">, authorization: string | null): Promise<Response> {
  const headers: Record<string, string> = authorization === null ? {} : { authorization };
  const body = method === "POST" ? JSON.stringify({ event: { name: "a", payload: 1 } }) : null;
  return request(path, { method, headers, body });
}

function connect(authorization: string | null, headers: Record<string, string> = {}): Promise<Response> {
  return request("/ws", {
    headers: { ...headers, upgrade: "websocket", ...(authorization !== null && { authorization }) },
  });
}

/** The refusal that a WebSocket gets: the frames before the close, its code and its reason. */
async function refusalOf(response: Response): Promise<{ messages: unknown[]; code: number; reason: string }> {
  const { webSocket } = response;
  if (!webSocket) throw new Error(`no upgrade: ${response.status}`);
  const messages: unknown[] = [];
  webSocket.addEventListener("message", ({ data }) => messages.push(data));
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    webSocket.addEventListener("close", resolve),
  );
  webSocket.accept();
  const { code, reason } = await closed;
  return { messages, code, reason };
}

async function wholeAnswer(response: Response): Promise<{ status: number; headers: [string, string][]; body: string }> {
  return { status: response.status, headers: [...response.headers], body: await response.text() };
}

const otherSecrets = () => parseKeySecrets(`1:${btoa("the secret of quite another deployment")}`);

/** Changes the character at a place, counted from the end. */
function changed(text: string, fromEnd: number): string {
  const at = text.length - fromEnd;
  return text.slice(0, at) + (text[at] === "a" ? "b" : "a") + text.slice(at + 1);
}

/** Authorization headers that are refused before any object is asked. All name environments that were never used. */
async function madeUp(): Promise<[string, string | null][]> {
  const environment = { id: newEnvironmentId(), slug: "live" };
  const { key } = await makeKey(environment);
  const parts = { environmentSlug: "live", environmentId: environment.id, keyId: newKeyId() };
  const foreign = await deriveApiKey(await otherSecrets(), parts);
  return [
    ["no header", null],
    ["an empty header", ""],
    ["the scheme alone", "Bearer"],
    ["the scheme and a space", "Bearer "],
    ["another scheme", `Basic ${key}`],
    ["no scheme", key],
    ["no space", `Bearer${key}`],
    ["two tokens", `Bearer ${key} ${key}`],
    ["two schemes", `Bearer Bearer ${key}`],
    ["a list", `Bearer ${key}, Bearer ${key}`],
    ["quotes", `Bearer "${key}"`],
    ["padding", `Bearer ${key}=`],
    ["no key", "Bearer none"],
    ["the prefix alone", "Bearer trigger_live_"],
    ["another prefix", `Bearer ${key.replace("trigger_", "switch_")}`],
    ["a character too few", `Bearer ${key.slice(0, -1)}`],
    ["a character too many", `Bearer ${key}0`],
    ["a character that is not base62", `Bearer ${key.slice(0, -1)}-`],
    ["capitals in the slug", `Bearer ${key.replace("live", "LIVE")}`],
    ["another slug", `Bearer ${key.replace("live", "development")}`],
    ["a forged tag", `Bearer ${changed(key, 1)}`],
    ["a forged key id", `Bearer ${changed(key, 24)}`],
    ["a forged environment", `Bearer ${changed(key, 38)}`],
    ["very long", `Bearer ${key}${"a".repeat(8_000)}`],
    ["another deployment's secret", `Bearer ${foreign}`],
  ];
}

/** Authorization headers with a good tag that the object refuses. */
async function inactive(): Promise<[string, string][]> {
  const live = await makeEnvironment("live");
  const [unknown, revoked, expired] = await Promise.all([makeKey(live), makeKey(live), makeKey(live)]);
  await pushKeys(live, 2, [{ id: live.keyId }, { id: revoked.id }]);
  await pushKeys(live, 3, [{ id: live.keyId }, { id: expired.id, expiresAt: Date.now() - 1 }]);
  const nowhere = await makeKey({ id: newEnvironmentId(), slug: "live" });
  const deleted = await makeEnvironment("live");
  await deleted.stub.deprovision();
  return [
    ["unknown", `Bearer ${unknown.key}`],
    ["revoked", `Bearer ${revoked.key}`],
    ["expired", `Bearer ${expired.key}`],
    ["of an environment that never was", `Bearer ${nowhere.key}`],
    ["of a deleted environment", `Bearer ${deleted.key}`],
  ];
}

let live: TestEnvironment;
beforeAll(async () => {
  live = await makeEnvironment("live");
});

describe.each(ROUTES)("$method $path", (route) => {
  it("gives every kind of bad key the identical 401, headers and all", async () => {
    const expected = await wholeAnswer(await call(route, null));
    expect(expected.status).toBe(401);
    expect(JSON.parse(expected.body)).toEqual({ error: "Invalid or Missing API key" });
    expect(new Headers(expected.headers).get("www-authenticate")).toMatch(/^Bearer realm="/);
    for (const [what, authorization] of [...(await madeUp()), ...(await inactive())]) {
      expect({ what, ...(await wholeAnswer(await call(route, authorization))) }).toEqual({ what, ...expected });
    }
  });

  it("touches no object for a made-up key", async () => {
    const before = (await listDurableObjectIds(bindings.ENVIRONMENT)).map(String);
    for (const [, authorization] of await madeUp()) await call(route, authorization);
    expect((await listDurableObjectIds(bindings.ENVIRONMENT)).map(String).sort()).toEqual(before.sort());
  });

  it("gives a good key without the scope 403 and its name, and accepts a key with just that scope", async () => {
    const mine = await makeEnvironment("live");
    const [without, just] = await Promise.all([makeKey(mine), makeKey(mine)]);
    const others = SCOPES.filter((scope) => scope !== route.scope);
    const needed = SCOPES.filter((scope) => scope === route.scope);
    await pushKeys(mine, 2, [
      { id: without.id, scopes: others },
      { id: just.id, scopes: needed },
    ]);
    const refused = await call(route, `Bearer ${without.key}`);
    expect(refused.status).toBe(403);
    expect(refused.headers.get("www-authenticate")).toContain(`error="insufficient_scope", scope="${route.scope}"`);
    expect([200, 404]).toContain((await call(route, `Bearer ${just.key}`)).status);
    // A missing scope is not remembered: the same key may be given it later.
    await pushKeys(mine, 3, [{ id: without.id, scopes: [] }]);
    expect([200, 404]).toContain((await call(route, `Bearer ${without.key}`)).status);
  });

  it.each(["Bearer", "bearer", "BEARER", "Bearer  "])("takes a good key after the scheme %j", async (scheme) => {
    expect([200, 404]).toContain((await call(route, `${scheme} ${live.key}`)).status);
  });

  it("answers another method with 405 and the allowed ones, whoever asks", async () => {
    const taken = route.allow.split(", ");
    for (const method of ["POST", "GET", "PUT", "PATCH", "DELETE", "OPTIONS"].filter((m) => !taken.includes(m))) {
      for (const authorization of [null, `Bearer ${live.key}`]) {
        const response = await request(route.path, { method, headers: authorization ? { authorization } : {} });
        expect([method, response.status]).toEqual([method, 405]);
        expect(response.headers.get("allow")).toBe(route.allow);
      }
    }
  });
});

it.each(ROUTES.filter(({ method }) => method === "GET"))(
  "answers HEAD $path like GET, without the body",
  async (route) => {
    const get = await call(route, `Bearer ${live.key}`);
    const head = await call({ ...route, method: "HEAD" }, `Bearer ${live.key}`);
    expect([head.status, await head.text()]).toEqual([get.status, ""]);
    expect((await call({ ...route, method: "HEAD" }, null)).status).toBe(401);
  },
);

describe("/ws", () => {
  it("closes every kind of bad key alike with 4001 and a reason, before AUTHENTICATED", async () => {
    const expected = await refusalOf(await connect(null));
    expect(expected).toEqual({ messages: [], code: 4001, reason: expect.stringContaining("API key") });
    for (const [what, authorization] of [...(await madeUp()), ...(await inactive())]) {
      expect({ what, ...(await refusalOf(await connect(authorization))) }).toEqual({ what, ...expected });
    }
  });

  it("touches no object for a made-up key", async () => {
    const before = (await listDurableObjectIds(bindings.ENVIRONMENT)).map(String);
    for (const [, authorization] of await madeUp()) await refusalOf(await connect(authorization));
    expect((await listDurableObjectIds(bindings.ENVIRONMENT)).map(String).sort()).toEqual(before.sort());
  });

  it("closes a good key without the scope with the scope's name, and accepts a key with just that scope", async () => {
    const mine = await makeEnvironment("live");
    const [without, just] = await Promise.all([makeKey(mine), makeKey(mine)]);
    await pushKeys(mine, 2, [
      { id: without.id, scopes: ["events:send", "runs:read"] },
      { id: just.id, scopes: ["workflows:connect"] },
    ]);
    const refused = await refusalOf(await connect(`Bearer ${without.key}`));
    expect(refused).toEqual({ messages: [], code: 4001, reason: expect.stringContaining("workflows:connect") });
    const host = await TestHost.connect(just.key);
    await host.settled();
    expect(host.messages[0]).toBe("AUTHENTICATED");
  });

  it("takes the key from its header only, not from headers that the ingress itself uses", async () => {
    const mine = await makeEnvironment("live");
    const without = await makeKey(mine);
    await pushKeys(mine, 2, [{ id: mine.keyId }, { id: without.id, scopes: ["runs:read"] }]);
    const spoofed = { "x-switchyard-key-id": mine.keyId, "x-switchyard-secret-version": "1" };
    expect(await refusalOf(await connect(`Bearer ${without.key}`, spoofed))).toMatchObject({ code: 4001 });
    expect(await refusalOf(await connect(null, spoofed))).toMatchObject({ code: 4001 });
  });

  it.each(["GET", "HEAD"])("answers %s without an upgrade with 426", async (method) => {
    expect((await call({ method, path: "/ws" }, `Bearer ${live.key}`)).status).toBe(426);
  });

  it.each(["POST", "PUT", "DELETE", "OPTIONS"])("answers %s with 405", async (method) => {
    const response = await request("/ws", { method, headers: { authorization: `Bearer ${live.key}` } });
    expect([response.status, response.headers.get("allow")]).toEqual([405, "GET"]);
  });
});

describe("an unknown address", () => {
  it.each([
    "/api",
    "/api/v1",
    "/api/v1/event",
    "/api/v1/runs/a/b",
    "/api/v2/events",
    "/api/v1/workflows/starter/stop",
    "/local/clock",
    "//api/v1/runs",
  ])("gets a 404 that echoes nothing of it: %s", async (path) => {
    for (const method of ["GET", "POST"]) {
      const response = await request(`${path}?s3cr3t=${live.key}`, {
        method,
        headers: { authorization: `Bearer ${live.key}` },
      });
      const text = await response.text();
      expect([response.status, text.includes("s3cr3t"), text.includes(live.key)]).toEqual([404, false, false]);
    }
  });
});

it("answers the health check without a key", async () => {
  expect((await request("/healthcheck")).status).toBe(200);
});
