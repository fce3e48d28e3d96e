// Sign-in with GitHub, against a GitHub that a test plays: who was invited gets an account, who was not gets none.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ControlPlane, makeOrganization, startControlPlane } from "./control-plane.ts";

const CREDENTIALS = { GITHUB_CLIENT_ID: "client-of-the-tests", GITHUB_CLIENT_SECRET: "secret-of-the-tests" };

/** Whom GitHub says the visitor is. */
let visitor = { id: 1, login: "ada", name: "Ada", email: "ada@acme.test", verified: true };
const asked: string[] = [];

async function outside(request: Request): Promise<Response> {
  const { hostname, pathname } = new URL(request.url);
  if (!hostname.endsWith("github.com")) return fetch(request.url, await passedOn(request));
  asked.push(`${request.method} ${hostname}${pathname}`);
  const { verified, ...user } = visitor;
  switch (`${hostname}${pathname}`) {
    case "github.com/login/oauth/access_token":
      return Response.json({ access_token: "gho_of-the-tests", token_type: "bearer", scope: "read:user,user:email" });
    case "api.github.com/user":
      return Response.json({ ...user, avatar_url: "https://avatars.example/ada" });
    case "api.github.com/user/emails":
      return Response.json([{ email: user.email, primary: true, verified, visibility: "private" }]);
    default:
      return new Response(null, { status: 404 });
  }
}

async function passedOn(request: Request): Promise<RequestInit> {
  const { method, headers, body } = request;
  return { method, headers: Object.fromEntries(headers), ...(body && { body: await request.arrayBuffer() }) };
}

let plane: ControlPlane;
let owner: string;
beforeAll(async () => {
  plane = await startControlPlane({ bindings: CREDENTIALS, outside });
  ({ owner } = await makeOrganization(plane, "acme"));
});
afterAll(() => plane.stop());

const cookiesOf = (headers: Headers) =>
  headers
    .getSetCookie()
    .map((cookie) => cookie.split(";")[0])
    .join("; ");

async function start() {
  return plane.ask("POST", "/api/auth/sign-in/social", {
    body: { provider: "github", callbackURL: "/" },
    headers: { origin: plane.url },
  });
}

/** Goes to GitHub and comes back from there. */
async function comeBack(change: Record<string, string> = {}) {
  const started = await start();
  const { searchParams } = new URL(started.body.url);
  const query = new URLSearchParams({ code: "code-of-the-tests", state: searchParams.get("state") ?? "", ...change });
  return plane.ask("GET", `/api/auth/callback/github?${query}`, { headers: { cookie: cookiesOf(started.headers) } });
}

async function invite(email: string): Promise<string> {
  const body = { email, role: "viewer" };
  return (await plane.must("POST", "/api/v1/organizations/acme/invitations", { as: owner, body })).body.token;
}

const me = (headers: Headers) => plane.ask("GET", "/api/v1/me", { headers: { cookie: cookiesOf(headers) } });

describe("sign-in with GitHub", () => {
  it("sends to GitHub with the deployment's client id and the address to come back to, and no secret", async () => {
    const { body } = await start();
    const { origin, pathname, searchParams } = new URL(body.url);
    expect(origin + pathname).toBe("https://github.com/login/oauth/authorize");
    expect(searchParams.get("client_id")).toBe(CREDENTIALS.GITHUB_CLIENT_ID);
    expect(searchParams.get("redirect_uri")).toBe(`${plane.url}/api/auth/callback/github`);
    expect(body.url).not.toContain(CREDENTIALS.GITHUB_CLIENT_SECRET);
  });

  it("gives no account to whom nobody has invited", async () => {
    visitor = { ...visitor, id: 7, email: "nobody@acme.test" };
    const { headers } = await comeBack();
    expect(asked).toContain("GET api.github.com/user");
    expect((await me(headers)).status).toBe(401);
    const found = await plane.pool.query("select 1 from users where email = $1", [visitor.email]);
    expect(found.rowCount).toBe(0);
  });

  it("gives an account to whom was invited under the address that GitHub has verified", async () => {
    visitor = { ...visitor, id: 1, email: "ada@acme.test", verified: true };
    const token = await invite("ada@acme.test");
    const { status, headers } = await comeBack();
    expect([status, headers.get("location")]).toEqual([302, "/"]);
    expect((await me(headers)).body).toMatchObject({ email: "ada@acme.test" });

    const cookie = cookiesOf(headers);
    const accepted = await plane.ask("POST", "/api/v1/invitations/accept", {
      body: { token },
      headers: { cookie, origin: plane.url },
    });
    expect(accepted.status).toBe(200);
    const organization = await plane.ask("GET", "/api/v1/organizations/acme", { headers: { cookie } });
    expect(organization.status).toBe(200);
    const kept = await plane.pool.query("select * from accounts");
    expect(JSON.stringify(kept.rows)).not.toContain("gho_of-the-tests");
  });

  it("does not hand over somebody's account for an address that GitHub has not verified", async () => {
    visitor = { ...visitor, id: 8, email: "owner@acme.test", verified: false };
    expect((await me((await comeBack()).headers)).status).toBe(401);
  });

  it("takes no state that it did not give", async () => {
    visitor = { ...visitor, id: 1, email: "ada@acme.test", verified: true };
    const before = asked.length;
    expect((await me((await comeBack({ state: "made-up" })).headers)).status).toBe(401);
    expect(asked.length).toBe(before);
  });
});

it("is not offered without its credentials", async () => {
  const without = await startControlPlane();
  const answer = await without.ask("POST", "/api/auth/sign-in/social", {
    body: { provider: "github", callbackURL: "/" },
    headers: { origin: without.url },
  });
  expect(answer.status).toBe(404);
  await without.stop();
});
