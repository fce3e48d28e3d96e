// Who may do what: every route of the table with every kind of credential that is not enough. All are refused alike, and
// none tells what exists.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mayActAs, ROLES, type Role } from "../../shared/api/roles.ts";
import { ROUTES, type RouteName, rightOf } from "../../workers/console/routes/rights.ts";
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

const UNAUTHORIZED = [401, 'Bearer realm="switchyard"', { error: "Invalid or Missing API key" }];
const NAMES = Object.keys(ROUTES) as RouteName[];
const SIGNED_IN = NAMES.filter((name) => rightOf(name) !== "public");
const IN_ORGANIZATION = NAMES.filter((name) => name.includes("{org}") && rightOf(name) !== "operator");

let plane: ControlPlane;
let owner: string;
let stranger: string;
const tokens: Record<string, string> = {};
const keys: Record<string, string> = {};
let keyId: string;

beforeAll(async () => {
  plane = await startControlPlane();
  ({ owner } = await makeOrganization(plane, "acme"));
  ({ owner: stranger } = await makeOrganization(plane, "other"));
  for (const role of ["admin", "member", "viewer"]) tokens[role] = await join(role);

  const collection = "/api/v1/organizations/acme/environments/live/keys";
  for (const [name, scopes] of [
    ["good", "all"],
    ["revoked", "all"],
    ["expired", "all"],
    ["narrow", ["events:send"]],
  ]) {
    const { body } = await plane.must("POST", collection, { as: owner, body: { name, scopes } });
    keys[String(name)] = body.key;
    if (name === "good") keyId = body.id;
    if (name === "revoked") await plane.must("DELETE", `${collection}/${body.id}`, { as: owner });
    if (name === "expired") {
      const expiresAt = new Date(Date.now() + 400).toISOString();
      await plane.must("PATCH", `${collection}/${body.id}`, { as: owner, body: { expiresAt } });
    }
  }
  tokens.revoked = await join("viewer", "gone");
  const mine = await plane.must("GET", "/api/v1/tokens", { as: tokens.revoked });
  await plane.must("DELETE", `/api/v1/tokens/${mine.body.data[0].id}`, { as: tokens.revoked });
  tokens.expired = await join("viewer", "late");
  await plane.pool.query("update access_tokens set expires_at = now() where name = 'late'");
});
afterAll(() => plane.stop());

async function join(role: string, name = role): Promise<string> {
  const email = `${name}@acme.test`;
  const invited = await plane.must("POST", "/api/v1/organizations/acme/invitations", {
    as: owner,
    body: { email, role },
  });
  await plane.must("POST", "/api/v1/invitations/accept", {
    body: { token: invited.body.token, name, password: PASSWORD },
  });
  return tokenOf(plane, email, { name });
}

/** A path of the table, filled in. */
function pathOf(name: RouteName, { org = "acme", env = "live", key = keyId } = {}): string {
  return (name.split(" ")[1] ?? "")
    .replace("{org}", org)
    .replace("{env}", env)
    .replace("{key}", key)
    .replaceAll(/\{\w+\}/g, "something");
}

/** The roles that are not enough for a route of an organization. */
function lesserRoles(name: RouteName): readonly Role[] {
  return ROLES.filter((role) => !mayActAs(role, rightOf(name) as Role));
}

async function ask(name: RouteName, as: string | undefined, filled = {}) {
  const method = name.split(" ")[0] ?? "";
  // Of no good for any route: whoever is let in to read it is told so with 422, and changes nothing.
  const body = method === "POST" || method === "PATCH" ? { nonsense: true } : undefined;
  return plane.ask(method, pathOf(name, filled), { as, body });
}

describe(`every route, on ${DATABASE}`, () => {
  it.each(SIGNED_IN)("%s refuses whoever has no good credentials with one and the same answer", async (name) => {
    const credentials: Record<string, string | undefined> = {
      nothing: undefined,
      "an API key": keys.good,
      "a revoked API key": keys.revoked,
      "an expired API key": keys.expired,
      "an API key without the scope": keys.narrow,
      "a revoked token": tokens.revoked,
      "an expired token": tokens.expired,
      "a token that was made up": `pat_${"x".repeat(43)}`,
      "a wrong setup token": "x".repeat(48),
    };
    for (const [what, as] of Object.entries(credentials)) {
      for (const org of ["acme", "nobody"]) {
        const refused = await ask(name, as, { org });
        const answer = [refused.status, refused.headers.get("www-authenticate"), refused.body];
        expect(answer, `${what}, ${org}`).toEqual(UNAUTHORIZED);
      }
    }
  });

  it.each(IN_ORGANIZATION)("%s is the same for another organization's token as if there were nothing", async (name) => {
    const theirs = await ask(name, stranger);
    const nobodys = await ask(name, stranger, { org: "nobody" });
    expect(theirs.status).toBe(404);
    expect([nobodys.status, nobodys.body]).toEqual([theirs.status, theirs.body]);
  });

  it.each(IN_ORGANIZATION.filter((name) => lesserRoles(name).length > 0))(
    "%s is refused to every lesser role, whether what it names exists or not",
    async (name) => {
      for (const role of lesserRoles(name)) {
        const real = await ask(name, tokens[role]);
        const made = await ask(name, tokens[role], { env: "nothing", key: "key_nothing" });
        expect([role, real.status, real.body.error]).toEqual([role, 403, expect.stringContaining("role")]);
        expect([made.status, made.body]).toEqual([real.status, real.body]);
      }
    },
  );

  it.each(NAMES.filter((name) => rightOf(name) === "operator"))("%s is refused to an owner", async (name) => {
    const [real, made] = [await ask(name, owner), await ask(name, owner, { org: "nobody" })];
    expect(real.status).toBe(403);
    expect([made.status, made.body]).toEqual([real.status, real.body]);
  });

  it.each(NAMES.filter((name) => rightOf(name) === "person"))("%s is refused to the operator", async (name) => {
    expect((await ask(name, plane.setupToken)).status).toBe(403);
  });

  it.each(IN_ORGANIZATION.filter((name) => name.includes("{env}")))(
    "%s does not reach into another organization's environment",
    async (name) => {
      const answer = await ask(name, owner, { env: "nothing" });
      expect([answer.status, answer.body]).toEqual([404, { error: "There is no such environment." }]);
    },
  );

  it.each(IN_ORGANIZATION.filter((name) => name.includes("{key}")))(
    "%s does not find a key of another environment",
    async (name) => {
      const method = name.split(" ")[0] ?? "";
      const body = method === "PATCH" ? { name: "x" } : name.endsWith("rotate") ? { overlapDays: 1 } : undefined;
      const answer = await plane.ask(method, pathOf(name, { env: "development" }), { as: owner, body });
      expect([answer.status, answer.body]).toEqual([404, { error: "There is no such API key." }]);
    },
  );

  it("is described in OpenAPI, with nothing besides", async () => {
    const { body } = await plane.must("GET", "/api/v1/openapi.json");
    const described = Object.entries(body.paths).flatMap(([path, methods]) =>
      Object.keys(methods as object).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(described.sort()).toEqual([...NAMES].sort());
    const page = await plane.must("GET", "/api/v1/reference");
    for (const name of NAMES) expect(page.body).toContain(name.split(" ")[1]);
    expect(page.body).not.toContain("<script");
    expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
  });

  it("answers another method with those that it takes", async () => {
    const refused = await plane.ask("PUT", "/api/v1/organizations/acme", { as: owner });
    expect([refused.status, refused.headers.get("allow")]).toEqual([405, "GET, PATCH, DELETE"]);
  });
});

/** Routes that name a thing below the organization, or one of a person. */
const OF_A_THING = NAMES.filter((name) => /\{(?!org|env)\w+\}/.test(name));
/** Bodies that are of the form, so that it is the thing that is not found. */
const BODIES: Partial<Record<RouteName, object>> = {
  "PATCH /api/v1/organizations/{org}/members/{user}": { role: "viewer" },
  "PATCH /api/v1/organizations/{org}/environments/{env}/keys/{key}": { name: "theirs" },
  "POST /api/v1/organizations/{org}/environments/{env}/keys/{key}/rotate": { overlapDays: 0 },
  "POST /api/v1/organizations/{org}/environments/{env}/workflows/{workflow}/test": { payload: {} },
  "PATCH /api/v1/organizations/{org}/environments/{env}/schedules/{schedule}": { enabled: false },
  "PATCH /api/v1/organizations/{org}/schedules/{schedule}": { enabled: false },
  "PATCH /api/v1/organizations/{org}/sources/{source}": { verification: { scheme: "none" } },
  "POST /api/v1/organizations/{org}/sources/{source}/deliveries/{delivery}/redeliver": {},
  "POST /api/v1/organizations/{org}/sources/{source}/redeliver": { status: "delivered" },
};

describe("what belongs to another organization", () => {
  /** Its ids, by their names in the paths. */
  let theirs: Record<string, string>;
  beforeAll(async () => {
    const acme = "/api/v1/organizations/acme";
    const must = async (method: string, path: string, body?: object) =>
      (await plane.must(method, `${acme}${path}`, { as: owner, body })).body;
    const host = await startThinHost(plane.url, keys.good ?? "", "theirs");
    const sent = { event: { name: "theirs", payload: {} } };
    const event = (await plane.must("POST", "/api/v1/events", { as: keys.good, body: sent })).body;
    await until("the run has ended", async () => host.completed.size === 1);
    const hook = { service: "theirs", verification: { scheme: "none" } };
    const source = await must("POST", "/sources", hook);
    const delivery = await plane.must("POST", new URL(source.url).pathname, { body: {} });
    const cron = { name: "theirs", cron: "0 0 1 1 *", event: "theirs" };
    const invitation = { email: "invited@acme.test", role: "viewer" };
    theirs = {
      key: keyId,
      run: event.runs[0].id,
      event: event.id,
      workflow: "theirs",
      source: source.id,
      delivery: delivery.body.id,
      schedule: (await must("POST", "/schedules", cron)).id,
      invitation: (await must("POST", "/invitations", invitation)).id,
      user: (await must("GET", "/members")).data[0].userId,
      token: (await plane.must("GET", "/api/v1/tokens", { as: owner })).body.data[0].id,
    };
    host.end();
  });

  const askFor = (name: RouteName, as: string, org: string, ids: (part: string) => string) => {
    const [method = "", path = ""] = name.split(" ");
    const filled = path.replace("{org}", org).replace("{env}", "live");
    return plane.ask(
      method,
      filled.replaceAll(/\{(\w+)\}/g, (_, part: string) => ids(part)),
      { as, body: BODIES[name] },
    );
  };

  it.each(OF_A_THING)("%s does not find it, by its very id", async (name) => {
    const answer = await askFor(name, stranger, "other", (part) => theirs[part] ?? "");
    const made = await askFor(name, stranger, "other", () => "something");
    expect([answer.status, made.status]).toEqual([404, 404]);
    expect(answer.body).toEqual(made.body);
  });

  it.each(OF_A_THING)("%s finds nothing under an id that Postgres cannot hold", async (name) => {
    expect((await askFor(name, owner, "acme", () => "%00")).status).toBe(404);
  });

  it("is not on a page after a cursor that Postgres cannot hold", async () => {
    const lists = ["", "/acme/environments", "/acme/members", "/acme/invitations", "/acme/schedules", "/acme/sources"];
    const of = ["keys", "runs", "events", "workflows", "hosts", "schedules"];
    for (const list of [...lists, ...of.map((each) => `/acme/environments/live/${each}`)]) {
      const { status } = await plane.ask("GET", `/api/v1/organizations${list}?cursor=%00`, { as: owner });
      expect([list, status]).toEqual([list, 422]);
    }
  });

  it("is all there, unchanged, for its owner", async () => {
    for (const name of OF_A_THING.filter((each) => each.startsWith("GET"))) {
      expect([name, (await askFor(name, owner, "acme", (part) => theirs[part] ?? "")).status]).toEqual([name, 200]);
    }
    const { enabled } = (
      await plane.must("GET", `/api/v1/organizations/acme/schedules/${theirs.schedule}`, { as: owner })
    ).body;
    expect(enabled).toBe(true);
    expect((await plane.ask("GET", "/api/v1/runs", { as: keys.good })).status).toBe(200);
  });
});

describe("an environment's own API", () => {
  it.each([
    ["a revoked key", () => keys.revoked, 401],
    ["an expired key", () => keys.expired, 401],
    ["a key without the scope", () => keys.narrow, 403],
    ["a personal access token", () => owner, 401],
    ["the setup token", () => plane.setupToken, 401],
  ])("refuses %s", async (_what, as, status) => {
    expect((await plane.ask("GET", "/api/v1/runs", { as: as() })).status).toBe(status);
  });
});
