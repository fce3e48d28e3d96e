// A router in this process's own Miniflare with a Postgres that a test can take away, for tests of the management API.
// Runs on the embedded Postgres, or on a throwaway database of TEST_DATABASE_URL when that is set.
import { randomBytes, randomUUID } from "node:crypto";
import { join } from "node:path";
import type pg from "pg";
import { type Build, buildScript } from "../../scripts/local/build.ts";
import { applyMigrations } from "../../scripts/local/migrate.ts";
import { startPostgres } from "../../scripts/local/postgres.ts";
import { type RouterOptions, startRouter } from "../../scripts/local/router.ts";
import { openRouterLog } from "../../scripts/local/router-log.ts";
import { type SqlEndpoint, startSqlOverHttp } from "../../scripts/local/sql-over-http.ts";
import { throwawayDatabase } from "../throwaway-database.ts";
import { type Fault, startFaultyProxy } from "./faulty-proxy.ts";
import { dataDirectory } from "./support.ts";

const REAL = process.env.TEST_DATABASE_URL;
export const DATABASE = REAL ? "a real PostgreSQL" : "the embedded Postgres";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: whatever was answered; the expectations say what it should be.
  readonly body: any;
}

export interface Ask {
  /** A bearer token. */
  readonly as?: string | undefined;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ControlPlane {
  readonly url: string;
  readonly setupToken: string;
  /** Names the runtime's process. */
  readonly directory: string;
  readonly pool: pg.Pool;
  ask(method: string, path: string, ask?: Ask): Promise<Answer>;
  /** Asks something that has to be answered with 2xx. */
  must(method: string, path: string, ask?: Ask): Promise<Answer>;
  /** Makes Postgres unreachable, or reachable again. */
  setPostgres(reachable: boolean): Promise<void>;
  /** Ends the runtime and starts it anew on the same data: no object is in memory then. */
  restart(): Promise<void>;
  /** Fires the Cron Trigger. */
  tick(at: number): Promise<void>;
  stop(): Promise<void>;
}

interface Setup {
  /** Turns the rate limits on, at this many requests each. */
  readonly limits?: number;
  readonly bindings?: Readonly<Record<string, string>>;
  readonly outside?: RouterOptions["outside"];
  /** Binds an R2 bucket for history. */
  readonly bucket?: true;
  /** What becomes of each request to Postgres. */
  readonly faults?: (request: string) => Fault;
}

export async function startControlPlane({
  limits,
  bindings = {},
  outside,
  bucket,
  faults,
}: Setup = {}): Promise<ControlPlane> {
  const directory = await dataDirectory();
  const postgres = REAL ? await throwawayDatabase(REAL) : await startPostgres(join(directory, "postgres"));
  await applyMigrations(postgres.pool);
  const DATABASE_URL = `postgresql://switchyard:${randomUUID()}@localhost/switchyard`;
  let endpoint: SqlEndpoint | null = await startSqlOverHttp({ pool: postgres.pool, connectionString: DATABASE_URL });
  const port = Number(new URL(endpoint.url).port);
  const proxy = faults === undefined ? null : await startFaultyProxy(endpoint.url, faults);
  const endpointUrl = proxy?.url ?? endpoint.url;
  const keySecrets = `1:${randomBytes(32).toString("base64")}`;
  const setupToken = randomBytes(24).toString("hex");
  const built = await buildScript();
  const build = bucket ? { ...built, options: { ...built.options, r2Buckets: { HISTORY_BUCKET: "history" } } } : built;
  const log = openRouterLog(join(directory, "router.log"), () => {}, false);
  const options = (port: number): RouterOptions => ({
    build:
      limits === undefined ? build : { ...build, options: { ...build.options, ratelimits: lowered(build, limits) } },
    port,
    directory,
    storage: join(directory, "storage"),
    bindings: {
      KEY_SECRETS: keySecrets,
      SETUP_TOKEN: setupToken,
      DATABASE_URL,
      DATABASE_ENDPOINT: endpointUrl,
      LOG_LEVEL: "warn",
      RATE_LIMITS: limits === undefined ? "off" : "on",
      ...bindings,
    },
    ...(outside && { outside }),
    log,
  });
  let router = await startRouter(options(0));
  const { url } = router;

  async function ask(method: string, path: string, { as, body, headers = {} }: Ask = {}): Promise<Answer> {
    const response = await fetch(url + path, {
      method,
      headers: {
        ...(as !== undefined && { authorization: `Bearer ${as}` }),
        ...(body !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      redirect: "manual",
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("/json");
    return {
      status: response.status,
      headers: response.headers,
      body: isJson && text !== "" ? JSON.parse(text) : text,
    };
  }

  return {
    url,
    setupToken,
    directory,
    pool: postgres.pool,
    ask,
    async must(method, path, given) {
      const answer = await ask(method, path, given);
      if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
      return answer;
    },
    async setPostgres(reachable) {
      if (reachable === (endpoint !== null)) return;
      await endpoint?.close();
      endpoint = reachable
        ? await startSqlOverHttp({ pool: postgres.pool, connectionString: DATABASE_URL, port })
        : null;
    },
    async restart() {
      await router.stop();
      router = await startRouter(options(Number(new URL(url).port)));
    },
    tick: (at) => router.tick("* * * * *", at),
    async stop() {
      await router.stop();
      await proxy?.close();
      await endpoint?.close();
      await postgres.close();
    },
  };
}

/** The limits of wrangler.toml, lowered to `limit` in their own periods; four times as many for an address. */
function lowered({ options }: Build, limit: number): NonNullable<Build["options"]["ratelimits"]> {
  const all = Object.entries(options.ratelimits ?? {});
  return Object.fromEntries(
    all.map(([name, each]) => [
      name,
      { ...each, simple: { ...each.simple, limit: name === "ADDRESS_LIMIT" ? 4 * limit : limit } },
    ]),
  );
}

export const PASSWORD = "a password of the tests";

/** Signs in and answers the cookies, as a request sends them. */
export async function signIn(plane: ControlPlane, email: string, password = PASSWORD): Promise<string> {
  const answer = await plane.must("POST", "/api/auth/sign-in/email", {
    body: { email, password },
    headers: { origin: plane.url },
  });
  return answer.headers
    .getSetCookie()
    .map((cookie) => cookie.split(";")[0])
    .join("; ");
}

/** A personal access token of a person. */
export async function tokenOf(plane: ControlPlane, email: string, body: object = { name: "test" }): Promise<string> {
  const headers = { cookie: await signIn(plane, email), origin: plane.url };
  return (await plane.must("POST", "/api/v1/tokens", { body, headers })).body.token;
}

/** An organization with an owner, and the owner's token. */
export async function makeOrganization(plane: ControlPlane, slug: string): Promise<{ owner: string; email: string }> {
  const email = `owner@${slug}.test`;
  await plane.must("POST", "/api/v1/organizations", { as: plane.setupToken, body: { name: slug, slug } });
  await plane.must("POST", `/api/v1/organizations/${slug}/owners`, {
    as: plane.setupToken,
    body: { email, password: PASSWORD },
  });
  return { owner: await tokenOf(plane, email), email };
}
