// A small HTTP endpoint that speaks Neon's SQL over HTTP (`POST /sql`) in front of any Postgres, so that the Workers
// use one driver everywhere. Binds to loopback only and answers only to its own connection string. A web page cannot
// send that: it is a header that needs a preflight, and no preflight is answered.
import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import pg from "pg";
import { listen } from "./listen.ts";
import { parseSqlRequest } from "./sql-request.ts";
import { runSqlRequest } from "./sql-run.ts";

/** Neon's own limit of a request, kept here too, so that the same requests are too large. */
const REQUEST_MAX_BYTES = 10 * 1024 * 1024;

export interface SqlEndpoint {
  /** `http://127.0.0.1:<port>/sql`, the value of `neonConfig.fetchEndpoint`. */
  readonly url: string;
  /** Ends open connections and stops listening. The pool stays the caller's. */
  close(): Promise<void>;
}

export interface SqlEndpointOptions {
  readonly pool: pg.Pool;
  /** The connection string that clients must send; its parameters (`?…`) do not count. */
  readonly connectionString: string;
  /** 0, the default, takes a free port. */
  readonly port?: number;
}

interface Reply {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export async function startSqlOverHttp(options: SqlEndpointOptions): Promise<SqlEndpoint> {
  const server = createServer((request, response) => {
    answer(options, request).then(
      (reply) => send(response, reply),
      // Only for a connection that broke while its body was read: nobody is left to answer.
      () => response.destroy(),
    );
  });
  const port = await listen(server, options.port ?? 0);
  return {
    url: `http://127.0.0.1:${port}/sql`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(options: SqlEndpointOptions, request: IncomingMessage): Promise<Reply> {
  if (new URL(request.url ?? "/", "http://localhost").pathname !== "/sql") {
    return { status: 404, body: { message: "there is nothing here; queries are posted to /sql" } };
  }
  if (request.method !== "POST") {
    return { status: 405, body: { message: "queries are posted: use POST" }, headers: { Allow: "POST" } };
  }
  const named = request.headers["neon-connection-string"];
  if (typeof named !== "string" || !sameDatabase(named, options.connectionString)) {
    return { status: 400, body: { message: "password authentication failed", code: "28P01", severity: "FATAL" } };
  }
  const body = await readBody(request);
  if (body === null)
    return { status: 413, body: { message: `request is too large (max is ${REQUEST_MAX_BYTES} bytes)` } };
  const parsed = parseSqlRequest(request.headers, body);
  if (!parsed.ok) return { status: 400, body: { message: parsed.message } };
  try {
    const results = await runSqlRequest(options.pool, parsed.request);
    return { status: 200, body: parsed.request.kind === "batch" ? { results } : results[0] };
  } catch (error) {
    return failure(error);
  }
}

/**
 * Postgres's own errors in the driver's form (400 and the fields); any other error means that Postgres is unreachable.
 */
function failure(error: unknown): Reply {
  if (!(error instanceof pg.DatabaseError)) return { status: 503, body: { message: "Postgres cannot be reached" } };
  const { code, detail, hint, position, internalPosition, internalQuery, severity, where, table, column } = error;
  const { schema, dataType, constraint, file, line, routine, message } = error;
  const place = { position, internalPosition, internalQuery, where, file, line, routine };
  return {
    status: 400,
    body: { message, severity, code, detail, hint, schema, table, column, dataType, constraint, ...place },
  };
}

/** The body as text, or null if it is too large; the rest of it then stays unread. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    if (!(chunk instanceof Uint8Array)) continue;
    bytes += chunk.byteLength;
    if (bytes > REQUEST_MAX_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function sameDatabase(named: string, expected: string): boolean {
  return timingSafeEqual(digestOf(named), digestOf(expected));
}

function digestOf(connectionString: string): Uint8Array {
  return createHash("sha256").update(connectionString.replace(/\?.*$/s, "")).digest();
}

function send(response: ServerResponse, reply: Reply): void {
  response.writeHead(reply.status, { "Content-Type": "application/json", ...reply.headers });
  response.end(JSON.stringify(reply.body));
  // The rest of a refused body stays unread, so the connection cannot be used again.
  if (reply.status === 413) response.once("finish", () => response.destroy());
}
