// Sign-in, sessions and personal access tokens, on a real Postgres and through the whole script.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ControlPlane, DATABASE, makeOrganization, PASSWORD, signIn, startControlPlane } from "./control-plane.ts";

const UNAUTHORIZED = [401, 'Bearer realm="switchyard"', { error: "Invalid or Missing API key" }];

let plane: ControlPlane;
let owner: string;
let email: string;

beforeAll(async () => {
  plane = await startControlPlane();
  ({ owner, email } = await makeOrganization(plane, "acme"));
});
afterAll(() => plane.stop());

const fromPage = (cookie: string) => ({ cookie, origin: plane.url });

describe(`people, on ${DATABASE}`, () => {
  it("sign in with a password, and their cookies are out of the reach of scripts", async () => {
    const answer = await plane.ask("POST", "/api/auth/sign-in/email", {
      body: { email, password: PASSWORD },
      headers: { origin: plane.url },
    });
    expect(answer.status).toBe(200);
    for (const cookie of answer.headers.getSetCookie()) {
      expect(cookie).toMatch(/; HttpOnly/);
      expect(cookie).toMatch(/; SameSite=Lax/);
    }
    const cookie = await signIn(plane, email);
    expect((await plane.ask("GET", "/api/v1/me", { headers: { cookie } })).body).toMatchObject({ email });
  });

  it("are refused with a wrong password and with an address that nobody has, alike", async () => {
    const answers = [];
    for (const body of [
      { email, password: "wrong wrong" },
      { email: "nobody@acme.test", password: PASSWORD },
    ]) {
      const { status, body: answer } = await plane.ask("POST", "/api/auth/sign-in/email", {
        body,
        headers: { origin: plane.url },
      });
      answers.push([status, answer]);
    }
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]?.[0]).toBe(401);
  });

  it.each([
    ["POST", "/api/auth/sign-up/email"],
    ["POST", "/api/auth/change-email"],
    ["POST", "/api/auth/delete-user"],
    ["GET", "/api/auth/reference"],
  ])("cannot use what is not offered: %s %s", async (method, path) => {
    const body = method === "POST" ? { email: "x@acme.test", password: PASSWORD, name: "X" } : undefined;
    expect((await plane.ask(method, path, { body, headers: { origin: plane.url } })).status).toBe(404);
  });

  it("change nothing with a cookie from another site's page", async () => {
    const cookie = await signIn(plane, email);
    for (const headers of [
      { cookie },
      { cookie, origin: "https://evil.test" },
      { cookie, origin: plane.url, "sec-fetch-site": "cross-site" },
    ]) {
      const refused = await plane.ask("POST", "/api/v1/tokens", { headers, body: { name: "stolen" } });
      expect([refused.status, refused.body.error]).toEqual([403, expect.stringContaining("does not come from a page")]);
    }
    const signInFromElsewhere = await plane.ask("POST", "/api/auth/sign-in/email", {
      body: { email, password: PASSWORD },
      headers: { origin: "https://evil.test" },
    });
    expect(signInFromElsewhere.status).toBe(403);
  });

  it("have nothing left of a session after signing out", async () => {
    const cookie = await signIn(plane, email);
    await plane.must("POST", "/api/auth/sign-out", { headers: fromPage(cookie), body: {} });
    const refused = await plane.ask("GET", "/api/v1/me", { headers: { cookie } });
    expect([refused.status, refused.headers.get("www-authenticate"), refused.body]).toEqual(UNAUTHORIZED);
  });
});

describe("a personal access token", () => {
  it("is shown once, stored as a digest, listed with its last use, and refused once revoked", async () => {
    const cookie = await signIn(plane, email);
    const made = await plane.must("POST", "/api/v1/tokens", { headers: fromPage(cookie), body: { name: "ci" } });
    expect(made.status).toBe(201);
    const { token, id } = made.body;
    expect(token).toMatch(/^pat_[0-9A-Za-z]{43}$/);
    expect((await plane.ask("GET", "/api/v1/me", { as: token })).body.email).toBe(email);

    const { rows } = await plane.pool.query("select * from access_tokens where id = $1", [id]);
    expect(JSON.stringify(rows)).not.toContain(token);
    const listed = await plane.must("GET", "/api/v1/tokens", { as: token });
    const [mine] = listed.body.data.filter((each: { id: string }) => each.id === id);
    expect(mine).toEqual({
      id,
      name: "ci",
      createdAt: made.body.createdAt,
      lastUsedAt: mine.lastUsedAt,
      expiresAt: null,
    });
    expect(mine.lastUsedAt).toMatch(/:00\.000Z$/);

    await plane.must("DELETE", `/api/v1/tokens/${id}`, { as: token });
    const refused = await plane.ask("GET", "/api/v1/me", { as: token });
    expect([refused.status, refused.headers.get("www-authenticate"), refused.body]).toEqual(UNAUTHORIZED);
  });

  it("is refused once it has expired", async () => {
    const headers = fromPage(await signIn(plane, email));
    const expiresAt = new Date(Date.now() + 60_000).toISOString();
    const { body } = await plane.must("POST", "/api/v1/tokens", { headers, body: { name: "short", expiresAt } });
    expect((await plane.ask("GET", "/api/v1/me", { as: body.token })).status).toBe(200);
    await plane.pool.query("update access_tokens set expires_at = now() where id = $1", [body.id]);
    expect((await plane.ask("GET", "/api/v1/me", { as: body.token })).status).toBe(401);
  });

  it("makes no other token", async () => {
    expect((await plane.ask("POST", "/api/v1/tokens", { as: owner, body: { name: "more" } })).status).toBe(403);
  });

  it.each([
    ["no name", {}, 422, ["name"]],
    ["an end in the past", { name: "x", expiresAt: "2020-01-01T00:00:00Z" }, 422, ["expiresAt"]],
    ["a field that is not known", { name: "x", scope: "all" }, 422, ["(body)"]],
    ["no JSON", "{", 400, undefined],
  ])("is not made with %s", async (_what, body, status, fields) => {
    const headers = fromPage(await signIn(plane, email));
    const refused = await plane.ask("POST", "/api/v1/tokens", { headers, body });
    expect([refused.status, refused.body.fields?.map(({ path }: { path: string }) => path)]).toEqual([status, fields]);
  });

  it.each([
    ["nothing", undefined],
    ["a token that was made up", `pat_${"0".repeat(43)}`],
    ["another form", "pat_x"],
    ["a wrong setup token", "x".repeat(48)],
  ])("of no good gets the one answer: %s", async (_what, as) => {
    for (const [method, path] of [
      ["GET", "/api/v1/me"],
      ["POST", "/api/v1/tokens"],
      ["POST", "/api/v1/organizations/nobody/owners"],
    ] as const) {
      const refused = await plane.ask(method, path, { as, body: method === "POST" ? {} : undefined });
      expect([refused.status, refused.headers.get("www-authenticate"), refused.body]).toEqual(UNAUTHORIZED);
    }
  });
});

// Last.
describe("while Postgres is away", () => {
  it("signing in and a token are answered with 503, and a session that was shown before is still good", async () => {
    const cookie = await signIn(plane, email);
    await plane.setPostgres(false);
    for (const refused of [
      await plane.ask("GET", "/api/v1/me", { as: owner }),
      await plane.ask("POST", "/api/auth/sign-in/email", {
        body: { email, password: PASSWORD },
        headers: { origin: plane.url },
      }),
    ]) {
      expect([refused.status, refused.body]).toEqual([503, { error: expect.stringContaining("Postgres") }]);
    }
    expect((await plane.ask("GET", "/api/auth/get-session", { headers: { cookie } })).body.user.email).toBe(email);
    await plane.setPostgres(true);
    expect((await plane.ask("GET", "/api/v1/me", { as: owner })).status).toBe(200);
  });

  it("a page that was open before goes on reading from the objects, and changes nothing", async () => {
    const { email: otherEmail } = await makeOrganization(plane, "other");
    const [session, other] = [await signIn(plane, email), await signIn(plane, otherEmail)];
    const runs = "/api/v1/organizations/acme/environments/live/runs";
    const first = await plane.must("GET", runs, { headers: { cookie: session } });
    const access = first.headers.getSetCookie().find((cookie) => cookie.startsWith("switchyard.access=")) ?? "";
    expect(access).toMatch(/Max-Age=300; Path=\/api\/v1\/organizations\/acme; HttpOnly; SameSite=Lax/);
    const kept = access.split(";")[0] ?? "";
    expect((await plane.ask("GET", runs, { headers: { cookie: other } })).status).toBe(404);

    await plane.setPostgres(false);
    const read = (cookie: string, path = runs) => plane.ask("GET", path, { headers: { cookie } });
    expect((await read(`${session}; ${kept}`)).body).toEqual({ data: [], next: null });
    // Without it, changed, of someone else, or for another organization it is of no use.
    const changed = kept.replace("owner", "admin");
    expect(changed).not.toBe(kept);
    for (const cookie of [session, `${session}; ${changed}`, `${other}; ${kept}`]) {
      expect((await read(cookie)).status).toBe(503);
    }
    expect((await read(`${session}; ${kept}`, runs.replace("acme", "other"))).status).toBe(503);
    expect((await read(`${session}; ${kept}`, "/api/v1/organizations/acme/members")).status).toBe(503);
    const change = await plane.ask("POST", "/api/v1/organizations/acme/environments/live/keys", {
      headers: fromPage(`${session}; ${kept}`),
      body: { name: "x" },
    });
    expect(change.status).toBe(503);
    await plane.setPostgres(true);
  });
});
