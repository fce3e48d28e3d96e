// A drizzle client that speaks SQL over HTTP, the way a Worker reaches Postgres. Only non-interactive transactions
// exist: `db.batch([…])` commits together or not at all; `db.transaction()` throws.
import { type NeonQueryFunction, neon, neonConfig } from "@neondatabase/serverless";
import { drizzle, type NeonHttpDatabase } from "drizzle-orm/neon-http";
import * as schema from "./schema.ts";

export type Database = NeonHttpDatabase<typeof schema>;

export interface DatabaseSettings {
  /** `postgresql://user:password@host/database`; the driver sends it with every query. */
  readonly url: string;
  /** The endpoint for queries in place of the host's own Neon endpoint, e.g. `http://127.0.0.1:4444/sql`. */
  readonly endpoint?: string | undefined;
}

/**
 * The driver has one endpoint setting for the whole process. To keep clients apart, the setting is a function, assigned
 * once, that looks up the host and port of the calling client. A host that no client has named keeps the driver's
 * default.
 */
const endpoints = new Map<string, string>();
const builtIn = neonConfig.fetchEndpoint;
neonConfig.fetchEndpoint = (host, port, options) =>
  endpoints.get(`${host}:${port}`) ?? (typeof builtIn === "string" ? builtIn : builtIn(host, port, options));

/**
 * Makes a client. Opens no connection: the first query is the first request. `signal` ends all its open queries. Throws
 * for a URL that is not one of Postgres.
 */
export function createDatabase(settings: DatabaseSettings, signal?: AbortSignal): Database {
  return drizzle(createClient(settings, signal), { schema });
}

/** The driver's own client, for queries that drizzle cannot express. Throws like `createDatabase`. */
export function createClient(settings: DatabaseSettings, signal?: AbortSignal): NeonQueryFunction<false, false> {
  if (settings.endpoint !== undefined) endpoints.set(hostAndPort(settings.url), settings.endpoint);
  return signal === undefined ? neon(settings.url) : neon(settings.url, { fetchOptions: { signal } });
}

/** Host and port as the driver reads them: it parses the URL as HTTP, so port 80 becomes the empty text. */
function hostAndPort(url: string): string {
  const { hostname, port } = new URL(url.replace(/^[a-z]+:/, "http:"));
  return `${hostname}:${port}`;
}
