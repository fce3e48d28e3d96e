// Setting up an organization over HTTP: who may, what comes of it, and what is answered when Postgres is away.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../../scripts/local/listen.ts";
import { OrganizationAnswer } from "../../shared/api/setup.ts";
import { Child } from "./children.ts";
import { dataDirectory, type Router } from "./support.ts";

const PATH = "/api/v1/organizations";
const UNAUTHORIZED = [401, 'Bearer realm="switchyard"', { error: "Invalid or Missing API key" }];

let database: PGlite;
let server: PGLiteSocketServer;
let router: Router;
let token: string;

/** A router on a Postgres that this test can take away. */
beforeAll(async () => {
  database = await PGlite.create();
  const port = await freePort(0);
  server = new PGLiteSocketServer({ db: database, port, maxConnections: 20 });
  await server.start();
  const directory = await dataDirectory();
  const child = new Child(["scripts/local/main.ts", "--port", "0", "--data", directory], {
    env: { DATABASE_URL: `postgresql://postgres:secret@127.0.0.1:${port}/postgres` },
  });
  await child.printed(/Switchyard runs at/);
  router = { child, directory, ready: JSON.parse(await readFile(join(directory, "ready.json"), "utf8")) };
  token = JSON.parse(await readFile(join(directory, "secrets.json"), "utf8")).SETUP_TOKEN;
});
afterAll(async () => {
  await router.child.stop("SIGTERM");
  await database.close();
});

function ask(method: string, path: string, body?: unknown, authorization = `Bearer ${token}`): Promise<Response> {
  const headers = { ...(authorization && { authorization }), "content-type": "application/json" };
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return fetch(router.ready.url + path, { method, headers, ...(body === undefined ? {} : { body: text }) });
}

async function sendEvent(key: string | null | undefined): Promise<number> {
  return (await ask("POST", "/api/v1/events", { event: { name: "x", payload: {} } }, `Bearer ${key}`)).status;
}

describe("setting up an organization", () => {
  it("makes it with two environments, whose keys work at once and are answered again", async () => {
    const created = await ask("POST", PATH, { name: "Acme & Söhne" });
    const organization = OrganizationAnswer.parse(await created.json());
    expect([created.status, created.headers.get("cache-control")]).toEqual([201, "no-store"]);
    expect(organization).toMatchObject({ slug: "acme-sohne", name: "Acme & Söhne" });
    const { live, development } = organization.environments;
    expect(live).toMatchObject({ id: expect.stringMatching(/^env_/), slug: "live" });
    expect(live?.key).toMatch(/^trigger_live_[A-Za-z0-9]+$/);
    expect(development?.key).toMatch(/^trigger_development_[A-Za-z0-9]+$/);
    expect([await sendEvent(live?.key), await sendEvent(development?.key)]).toEqual([200, 200]);

    const shown = await ask("GET", `${PATH}/acme-sohne`);
    expect([shown.status, await shown.json()]).toEqual([200, organization]);
  });

  it("is refused for a slug that is taken, and what has it stays as it is", async () => {
    const before = await (await ask("GET", `${PATH}/local`)).json();
    const refused = await ask("POST", PATH, { name: "Another", slug: "local" });
    expect([refused.status, await refused.json()]).toEqual([409, { error: expect.stringContaining("another one") }]);
    expect(await (await ask("GET", `${PATH}/local`)).json()).toEqual(before);
  });

  it("answers 404 for a slug that nobody has", async () => {
    expect((await ask("GET", `${PATH}/nobody`)).status).toBe(404);
  });

  it.each([
    ["no name", { slug: "x" }, 422, ["name"]],
    ["a slug of another form", { name: "x", slug: "X y" }, 422, ["slug"]],
    ["both", { name: "", slug: "" }, 422, ["name", "slug"]],
    ["no object", [], 422, ["(body)"]],
    ["no JSON", "{", 400, undefined],
    ["nothing", "", 400, undefined],
    ["too much", { name: "x".repeat(20_000) }, 413, undefined],
  ])("is refused with %s, and the fields are named", async (_what, body, status, fields) => {
    const refused = await ask("POST", PATH, body);
    const answer = (await refused.json()) as { error: string; fields?: { path: string }[] };
    expect([refused.status, answer.fields?.map(({ path }) => path)]).toEqual([status, fields]);
    expect(answer.error).toMatch(/\.$/);
  });

  it.each([
    ["PUT", PATH, "GET, POST"],
    ["POST", `${PATH}/local`, "GET, PATCH, DELETE"],
  ])("does not know %s %s, and says what it knows", async (method, path, allow) => {
    const refused = await ask(method, path);
    expect([refused.status, refused.headers.get("allow")]).toEqual([405, allow]);
  });

  it.each([
    ["no token", () => ""],
    ["a wrong token", () => `Bearer ${token}x`],
    ["the beginning of the token", () => `Bearer ${token.slice(0, -1)}`],
    ["another scheme", () => `Basic ${token}`],
    ["an API key", () => `Bearer ${router.ready.environments.live.key}`],
  ])("is refused to whoever has %s, with one and the same answer", async (_what, authorization) => {
    for (const [method, path] of [
      ["POST", PATH],
      ["GET", `${PATH}/local`],
      ["GET", `${PATH}/nobody`],
    ] as const) {
      const refused = await ask(method, path, undefined, authorization());
      expect([refused.status, refused.headers.get("www-authenticate"), await refused.json()]).toEqual(UNAUTHORIZED);
    }
  });
});

// Last: Postgres does not come back.
describe("while Postgres is away", () => {
  beforeAll(() => server.stop());

  it("setting up says so with a 503", async () => {
    for (const refused of [await ask("POST", PATH, { name: "Late" }), await ask("GET", `${PATH}/local`)]) {
      expect([refused.status, await refused.json()]).toEqual([503, { error: expect.stringContaining("Postgres") }]);
    }
  });

  it("events are accepted and routed all the same", async () => {
    const { live, development } = router.ready.environments;
    expect([await sendEvent(live.key), await sendEvent(development.key)]).toEqual([200, 200]);
  });
});
