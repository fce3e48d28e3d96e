// The management API at work: what a change does to the environments it is about, on a real Postgres and real objects.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type ControlPlane,
  DATABASE,
  makeOrganization,
  PASSWORD,
  startControlPlane,
  tokenOf,
} from "./control-plane.ts";
import { until } from "./support.ts";
import { startThinHost } from "./thin-host.ts";

const ORGANIZATIONS = "/api/v1/organizations";

let plane: ControlPlane;
let owner: string;
beforeAll(async () => {
  plane = await startControlPlane();
  ({ owner } = await makeOrganization(plane, "acme"));
});
afterAll(() => plane.stop());

const keysOf = (environment: string) => `${ORGANIZATIONS}/acme/environments/${environment}/keys`;

async function makeKey(body: object = { name: "test" }, environment = "live"): Promise<{ id: string; key: string }> {
  return (await plane.must("POST", keysOf(environment), { as: owner, body })).body;
}

async function send(key: string, name = "nothing"): Promise<number> {
  return (await plane.ask("POST", "/api/v1/events", { as: key, body: { event: { name, payload: {} } } })).status;
}

async function join(email: string, role: string): Promise<string> {
  const { body } = await plane.must("POST", `${ORGANIZATIONS}/acme/invitations`, { as: owner, body: { email, role } });
  await plane.must("POST", "/api/v1/invitations/accept", {
    body: { token: body.token, name: role, password: PASSWORD },
  });
  return tokenOf(plane, email);
}

/** All of a list, in pages of one. */
async function inPages(path: string, as = owner): Promise<{ id: string }[]> {
  const all = [];
  let cursor = "";
  do {
    const { body } = await plane.must("GET", `${path}?limit=1${cursor}`, { as });
    expect(body.data.length).toBeLessThanOrEqual(1);
    all.push(...body.data);
    cursor = body.next === null ? "" : `&cursor=${encodeURIComponent(body.next)}`;
  } while (cursor !== "");
  return all;
}

describe(`organizations, on ${DATABASE}`, () => {
  it("belong to whoever makes them, are listed in pages, and can be renamed", async () => {
    const made = await plane.must("POST", ORGANIZATIONS, { as: owner, body: { name: "Second" } });
    expect(await send(made.body.environments.live.key)).toBe(200);
    const all = await inPages(ORGANIZATIONS);
    expect(all).toMatchObject([{ slug: "acme" }, { slug: "second", role: "owner" }]);
    expect((await plane.must("GET", ORGANIZATIONS, { as: owner })).body).toEqual({ data: all, next: null });

    const renamed = await plane.must("PATCH", `${ORGANIZATIONS}/second`, { as: owner, body: { name: "Zweite" } });
    expect(renamed.body).toMatchObject({ slug: "second", name: "Zweite" });
  });

  it("that are deleted take their keys, their runs and their members with them, and free their slug", async () => {
    const made = await plane.must("POST", ORGANIZATIONS, { as: owner, body: { name: "Short", slug: "short" } });
    const { key } = made.body.environments.live;
    expect(await send(key)).toBe(200);
    const host = await startThinHost(plane.url, key, "short");
    expect((await plane.ask("DELETE", `${ORGANIZATIONS}/short`, { as: owner })).status).toBe(204);
    expect((await host.closed).code).toBe(4001);
    expect(await send(key)).toBe(401);
    expect((await plane.ask("GET", `${ORGANIZATIONS}/short`, { as: owner })).status).toBe(404);
    const { rows } = await plane.pool.query("select 1 from environments where organization_id = $1", [made.body.id]);
    expect(rows).toEqual([]);
    await plane.must("POST", ORGANIZATIONS, { as: owner, body: { name: "Short", slug: "short" } });
    expect(await send(key)).toBe(401);
  });
});

describe("environments", () => {
  const path = `${ORGANIZATIONS}/acme/environments`;

  it("are added with a choice of what reaches them, changed, and archived for good", async () => {
    const body = { slug: "staging", receivesWebhooks: false, receivesSchedules: true };
    const added = await plane.must("POST", path, { as: owner, body });
    expect(added.body).toMatchObject({ ...body, inForce: true });
    const { data } = (await plane.must("GET", keysOf("staging"), { as: owner })).body;
    expect(data).toMatchObject([{ name: "default", scopes: "all", lastUsedAt: null }]);
    const { key } = (await plane.must("POST", `${keysOf("staging")}/${data[0].id}/show`, { as: owner })).body;
    expect(key).toMatch(/^trigger_staging_/);
    expect(await send(key)).toBe(200);
    const changed = await plane.must("PATCH", `${path}/staging`, { as: owner, body: { receivesWebhooks: true } });
    expect(changed.body).toMatchObject({ receivesWebhooks: true, receivesSchedules: true, inForce: true });

    const days = { retentionDays: 3, historyDays: 365 };
    expect((await plane.must("PATCH", `${path}/staging`, { as: owner, body: days })).body).toMatchObject(days);
    for (const refused of [
      { retentionDays: 0 },
      { retentionDays: 31 },
      { historyDays: 1.5 },
      { historyDays: "90" },
      {},
    ]) {
      expect((await plane.ask("PATCH", `${path}/staging`, { as: owner, body: refused })).status).toBe(422);
    }

    const host = await startThinHost(plane.url, key, "x");
    expect((await plane.ask("DELETE", `${path}/staging`, { as: owner })).status).toBe(204);
    expect((await host.closed).code).toBe(4001);
    expect(await send(key)).toBe(401);
    expect((await plane.ask("GET", `${path}/staging`, { as: owner })).status).toBe(404);
    expect((await plane.ask("POST", path, { as: owner, body })).status).toBe(409);
    expect(await inPages(path)).toMatchObject([{ slug: "live" }, { slug: "development" }]);
  });

  it.each(["live", "development"])("%s stays", async (slug) => {
    expect((await plane.ask("DELETE", `${path}/${slug}`, { as: owner })).status).toBe(409);
  });

  it.each(["", "Staging", "a-b", "x1", "a".repeat(33), "ümlaut"])("have no slug such as '%s'", async (slug) => {
    const body = { slug, receivesWebhooks: true, receivesSchedules: true };
    const refused = await plane.ask("POST", path, { as: owner, body });
    expect([refused.status, refused.body.fields[0].path]).toEqual([422, "slug"]);
  });
});

describe("keys", () => {
  it("are made with a name and scopes, listed with their creator and last use, and shown again", async () => {
    const { id, key } = await makeKey({ name: "ci", scopes: ["events:send"] });
    expect(await send(key)).toBe(200);
    expect((await plane.ask("GET", "/api/v1/runs", { as: key })).status).toBe(403);
    const me = (await plane.must("GET", "/api/v1/me", { as: owner })).body;
    const shown = (await plane.must("GET", `${keysOf("live")}/${id}`, { as: owner })).body;
    expect(shown).toMatchObject({ name: "ci", scopes: ["events:send"], createdBy: me.id, revokedAt: null });
    expect(shown.lastUsedAt).toMatch(/:00\.000Z$/);
    expect(JSON.stringify(shown)).not.toContain(key);
    expect((await plane.must("POST", `${keysOf("live")}/${id}/show`, { as: owner })).body).toEqual({ key });
    expect((await inPages(keysOf("live")))[0]).toEqual(shown);
  });

  it("whose hosts close without a code are answered, and do not wait", async () => {
    const host = await startThinHost(plane.url, (await makeKey()).key, "closes");
    const begun = performance.now();
    host.end();
    expect((await host.closed).code).toBe(1005);
    // Unanswered, a client waits half a minute for the other side.
    expect(performance.now() - begun).toBeLessThan(5_000);
  });

  it("that are narrowed lose what they had at once, and their connections", async () => {
    const { id, key } = await makeKey();
    const host = await startThinHost(plane.url, key, "narrowed");
    const body = { name: "sends only", scopes: ["events:send"] };
    expect((await plane.must("PATCH", `${keysOf("live")}/${id}`, { as: owner, body })).body).toMatchObject(body);
    expect((await host.closed).code).toBe(4001);
    expect(await send(key)).toBe(200);
    expect((await plane.ask("GET", "/api/v1/runs", { as: key })).status).toBe(403);
  });

  it("that expire are refused from then on, and their connections are closed by themselves", async () => {
    const { id, key } = await makeKey();
    const host = await startThinHost(plane.url, key, "expires");
    const expiresAt = new Date(Date.now() + 1_500).toISOString();
    await plane.must("PATCH", `${keysOf("live")}/${id}`, { as: owner, body: { expiresAt } });
    expect(await send(key)).toBe(200);
    expect((await host.closed).code).toBe(4001);
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(expiresAt));
    expect(await send(key)).toBe(401);
  });

  it.each([0.5, 0])("are rotated with an overlap of %d days", async (overlapDays) => {
    const old = await makeKey({ name: "rotated", scopes: ["events:send"] });
    expect(await send(old.key)).toBe(200);
    const path = `${keysOf("live")}/${old.id}`;
    const { body } = await plane.must("POST", `${path}/rotate`, { as: owner, body: { overlapDays } });
    expect(body.key).toMatchObject({ name: "rotated", scopes: ["events:send"], expiresAt: null, revokedAt: null });
    expect(body.replaced).toMatchObject({ id: old.id, replacedBy: body.key.id, lastUsedAt: expect.any(String) });
    expect([await send(body.key.key), await send(old.key)]).toEqual([200, overlapDays === 0 ? 401 : 200]);
    if (overlapDays > 0) {
      const left = Date.parse(body.replaced.expiresAt) - Date.now();
      expect(Math.abs(left - overlapDays * 24 * 3_600_000)).toBeLessThan(60_000);
    }
    expect((await plane.ask("POST", `${path}/rotate`, { as: owner, body: { overlapDays } })).status).toBe(409);
  });

  it.each([
    ["no scope at all", { name: "x", scopes: [] }, "scopes"],
    ["a scope that is not known", { name: "x", scopes: ["everything"] }, "scopes"],
    ["an end in the past", { name: "x", expiresAt: "2020-01-01T00:00:00Z" }, "expiresAt"],
    ["no name", {}, "name"],
  ])("are not made with %s", async (_what, body, field) => {
    const refused = await plane.ask("POST", keysOf("live"), { as: owner, body });
    expect([refused.status, refused.body.fields[0].path]).toEqual([422, field]);
  });

  it("that are revoked under load let no event in after the call returned, and lose their connections", async () => {
    const { id, key } = await makeKey();
    const hosts = await Promise.all(["a", "b", "c"].map((event) => startThinHost(plane.url, key, event)));
    let returnedAt = Number.POSITIVE_INFINITY;
    let stop = false;
    const sent: { at: number; status: number }[] = [];
    const senders = Array.from({ length: 16 }, async () => {
      while (!stop) {
        const at = performance.now();
        sent.push({ at, status: await send(key) });
      }
    });
    await until("events are accepted", async () => sent.length > 200);
    expect((await plane.ask("DELETE", `${keysOf("live")}/${id}`, { as: owner })).status).toBe(204);
    returnedAt = performance.now();
    for (const host of hosts) expect((await host.closed).code).toBe(4001);
    expect(performance.now() - returnedAt).toBeLessThan(1_000);
    await until("events were refused", async () => sent.filter(({ at }) => at > returnedAt).length > 200);
    stop = true;
    await Promise.all(senders);
    expect(sent.filter(({ status }) => status === 200).length).toBeGreaterThan(100);
    expect(new Set(sent.filter(({ at }) => at > returnedAt).map(({ status }) => status))).toEqual(new Set([401]));
  });
});

describe("members", () => {
  const path = `${ORGANIZATIONS}/acme/members`;
  const idOf = async (email: string): Promise<string> =>
    (await plane.must("GET", path, { as: owner })).body.data.find((each: { email: string }) => each.email === email)
      .userId;

  it("join by an invitation that counts once, change roles, and see nothing once removed", async () => {
    const { body } = await plane.must("POST", `${ORGANIZATIONS}/acme/invitations`, {
      as: owner,
      body: { email: "Ada@Acme.test", role: "viewer" },
    });
    const accept = { token: body.token, name: "Ada", password: PASSWORD };
    expect((await plane.must("POST", "/api/v1/invitations/accept", { body: accept })).body).toEqual({
      organization: { slug: "acme", name: "acme" },
      role: "viewer",
    });
    expect((await plane.ask("POST", "/api/v1/invitations/accept", { body: accept })).status).toBe(404);
    const ada = await tokenOf(plane, "ada@acme.test");
    expect((await plane.ask("POST", keysOf("live"), { as: ada, body: { name: "x" } })).status).toBe(403);
    const id = await idOf("ada@acme.test");
    await plane.must("PATCH", `${path}/${id}`, { as: owner, body: { role: "admin" } });
    await plane.must("POST", keysOf("live"), { as: ada, body: { name: "x" } });
    await plane.must("DELETE", `${path}/${id}`, { as: owner });
    expect((await plane.ask("GET", path, { as: ada })).status).toBe(404);
  });

  it("who have an account accept with it, and nobody else does", async () => {
    const { owner: other } = await makeOrganization(plane, "elsewhere");
    const { body } = await plane.must("POST", `${ORGANIZATIONS}/acme/invitations`, {
      as: owner,
      body: { email: "owner@elsewhere.test", role: "member" },
    });
    const accept = (as: string | undefined) =>
      plane.ask("POST", "/api/v1/invitations/accept", {
        as,
        body: { token: body.token, name: "x", password: PASSWORD },
      });
    expect([(await accept(undefined)).status, (await accept(owner)).status]).toEqual([409, 409]);
    expect((await accept(other)).body).toMatchObject({ role: "member" });
    expect((await plane.ask("GET", path, { as: other })).status).toBe(200);
  });

  it("are not invited any more once the invitation is revoked or has expired", async () => {
    const invite = async (email: string) =>
      (await plane.must("POST", `${ORGANIZATIONS}/acme/invitations`, { as: owner, body: { email, role: "viewer" } }))
        .body;
    const [revoked, late] = [await invite("a@acme.test"), await invite("b@acme.test")];
    await plane.must("DELETE", `${ORGANIZATIONS}/acme/invitations/${revoked.id}`, { as: owner });
    await plane.pool.query("update invitations set expires_at = now() where id = $1", [late.id]);
    for (const { token } of [revoked, late]) {
      const body = { token, name: "x", password: PASSWORD };
      expect((await plane.ask("POST", "/api/v1/invitations/accept", { body })).status).toBe(404);
    }
  });

  it("neither make an owner nor change one unless they are one, and the last owner stays", async () => {
    const admin = await join("admin@acme.test", "admin");
    const [self, boss] = [await idOf("admin@acme.test"), await idOf("owner@acme.test")];
    for (const [user, role] of [
      [self, "owner"],
      [boss, "viewer"],
    ]) {
      expect((await plane.ask("PATCH", `${path}/${user}`, { as: admin, body: { role } })).status).toBe(403);
    }
    expect((await plane.ask("DELETE", `${path}/${boss}`, { as: admin })).status).toBe(403);
    const invitation = { email: "c@acme.test", role: "owner" };
    const invitations = `${ORGANIZATIONS}/acme/invitations`;
    expect((await plane.ask("POST", invitations, { as: admin, body: invitation })).status).toBe(403);
    expect((await plane.ask("PATCH", `${path}/${boss}`, { as: owner, body: { role: "admin" } })).status).toBe(409);
    expect((await plane.ask("DELETE", `${path}/${boss}`, { as: owner })).status).toBe(409);
  });
});

describe("the audit log", () => {
  it("says who did what and when, in pages, and holds neither names nor keys", async () => {
    const { id, key } = await makeKey({ name: "a telling name" });
    await plane.must("DELETE", `${keysOf("live")}/${id}`, { as: owner });
    const { body } = await plane.must("GET", `${ORGANIZATIONS}/acme/audit?limit=2`, { as: owner });
    const me = (await plane.must("GET", "/api/v1/me", { as: owner })).body.id;
    expect(body.data).toMatchObject([
      { actor: me, action: "key.revoke", subject: id, environmentId: expect.stringMatching(/^env_/) },
      { actor: me, action: "key.create", subject: id },
    ]);
    expect(JSON.stringify(body)).not.toContain("telling");
    expect(JSON.stringify(body)).not.toContain(key);
    const older = await plane.must("GET", `${ORGANIZATIONS}/acme/audit?cursor=${body.next}&limit=100`, { as: owner });
    expect(older.body.data.at(-1)).toMatchObject({ actor: "operator", action: "organization.create" });
  });
});

describe("what goes on in an environment", () => {
  it("is read by its members: workflows, hosts, runs and one run", async () => {
    const { key } = await makeKey({ name: "hosts" }, "development");
    const host = await startThinHost(plane.url, key, "seen");
    const viewer = await join("viewer@acme.test", "viewer");
    const base = `${ORGANIZATIONS}/acme/environments/development`;
    expect(await send(key, "seen")).toBe(200);
    await until("the run is completed", async () => host.completed.size === 1);
    expect((await plane.must("GET", `${base}/workflows`, { as: viewer })).body.data).toMatchObject([{ slug: "seen" }]);
    expect((await plane.must("GET", `${base}/hosts`, { as: viewer })).body.data).toMatchObject([{ workflow: "seen" }]);
    const [id] = host.completed;
    const run = await until("it has ended", async () => {
      const { body } = await plane.must("GET", `${base}/runs/${id}`, { as: viewer });
      return body.status === "SUCCESS" ? body : null;
    });
    expect(run).toMatchObject({ id, output: 1, workflow: { slug: "seen" } });
    expect((await plane.must("GET", `${base}/runs`, { as: viewer })).body.data).toMatchObject([{ id }]);
    const elsewhere = await plane.ask("GET", `${ORGANIZATIONS}/acme/environments/live/runs/${id}`, { as: viewer });
    expect([elsewhere.status, elsewhere.body]).toEqual([404, { error: "There is no such run." }]);
    host.end();
  });
});

describe("what a member does", () => {
  const base = `${ORGANIZATIONS}/acme/environments/development`;

  it("pauses, cancels, runs again, resumes and deregisters; each is in the audit log", async () => {
    const { key } = await makeKey({ name: "hosts" }, "development");
    const member = await join("member@acme.test", "member");
    const act = (path: string, method = "POST") => plane.ask(method, `${base}/${path}`, { as: member });
    const host = await startThinHost(plane.url, key, "acted");

    expect((await act("workflows/acted/pause")).body).toEqual({ slug: "acted", paused: true });
    expect(await send(key, "acted")).toBe(200);
    const [{ id, runs }] = (await plane.must("GET", `${base}/events?name=acted`, { as: member })).body.data;
    const first = runs[0].id;
    expect((await plane.must("GET", `${base}/events/${id}`, { as: member })).body).toMatchObject({
      payload: {},
      runs: [{ id: first, workflow: "acted", status: "PENDING" }],
      workflows: [{ workflow: "acted", matches: true, paused: true }],
    });

    expect((await act(`runs/${first}/cancel`)).body).toMatchObject({ id: first, status: "CANCELED" });
    const again = await act(`runs/${first}/rerun`);
    expect([again.status, again.body]).toMatchObject([201, { rerunOf: first, status: "PENDING" }]);
    expect((await act("workflows/acted/resume")).body).toEqual({ slug: "acted", paused: false });
    await until("the second is completed", async () => host.completed.has(again.body.id));
    await until("it has ended", async () => (await act(`runs/${again.body.id}`, "GET")).body.status === "SUCCESS");
    expect((await act(`runs/${again.body.id}/cancel`)).status).toBe(409);

    expect((await act("workflows/acted", "DELETE")).status).toBe(409);
    host.end();
    await until("it is deregistered", async () => (await act("workflows/acted", "DELETE")).status === 204);
    const { data } = (await plane.must("GET", `${ORGANIZATIONS}/acme/audit?limit=5`, { as: owner })).body;
    expect(data.map(({ action, subject }: Record<string, string>) => [action, subject])).toEqual([
      ["workflow.deregister", "acted"],
      ["workflow.resume", "acted"],
      ["run.rerun", first],
      ["run.cancel", first],
      ["workflow.pause", "acted"],
    ]);
  });

  it.each([
    ["POST", "runs/run_nothing/cancel", "run"],
    ["POST", "runs/run_nothing/rerun", "run"],
    ["POST", "workflows/nothing/pause", "workflow"],
    ["DELETE", "workflows/nothing", "workflow"],
    ["GET", "events/nothing", "event"],
  ])("%s %s is a 404", async (method, path, thing) => {
    const answer = await plane.ask(method, `${base}/${path}`, { as: owner });
    expect([answer.status, answer.body]).toEqual([404, { error: `There is no such ${thing}.` }]);
  });
});

describe("a change that was written and not pushed", () => {
  it("is made up for by the next management call for its environment", async () => {
    const { id, key } = await makeKey();
    await plane.pool.query("update api_keys set revoked_at = now() where id = $1", [id]);
    await plane.pool.query(
      "update environments set revision = revision + 1 where id = (select environment_id from api_keys where id = $1)",
      [id],
    );
    expect(await send(key)).toBe(200);
    const path = `${ORGANIZATIONS}/acme/environments/live`;
    expect((await plane.must("GET", path, { as: owner })).body.inForce).toBe(false);
    await until("the key is refused", async () => (await send(key)) === 401);
    await until("it is noted", async () => (await plane.must("GET", path, { as: owner })).body.inForce);
  });
});

// Last.
describe("while Postgres is away", () => {
  it("events are accepted, routed and completed; changes are a 503; and all is consistent when it returns", async () => {
    const { id, key } = await makeKey();
    const host = await startThinHost(plane.url, key, "meanwhile");
    await plane.setPostgres(false);

    expect(await send(key, "meanwhile")).toBe(200);
    await until("the run is completed", async () => host.completed.size === 1);
    for (const [method, path, body] of [
      ["DELETE", `${keysOf("live")}/${id}`, undefined],
      ["POST", keysOf("live"), { name: "late" }],
      ["PATCH", `${ORGANIZATIONS}/acme`, { name: "late" }],
      ["GET", ORGANIZATIONS, undefined],
    ] as const) {
      const refused = await plane.ask(method, path, { as: owner, body });
      expect([refused.status, refused.body]).toEqual([503, { error: expect.stringContaining("Postgres") }]);
    }
    expect(await send(key)).toBe(200);

    await plane.setPostgres(true);
    expect((await plane.must("GET", `${keysOf("live")}/${id}`, { as: owner })).body.revokedAt).toBe(null);
    const { data } = (await plane.must("GET", keysOf("live"), { as: owner })).body;
    expect(data.some(({ name }: { name: string }) => name === "late")).toBe(false);
    expect((await plane.ask("DELETE", `${keysOf("live")}/${id}`, { as: owner })).status).toBe(204);
    expect(await send(key)).toBe(401);
    expect((await host.closed).code).toBe(4001);
  });
});
