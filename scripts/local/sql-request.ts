// Reads a request of Neon's SQL over HTTP, which `@neondatabase/serverless` posts to `/sql`. Pure; returns a message
// for a malformed request. Facts from the driver 1.2.0 and Neon's proxy (proxy/src/serverless).
import type { IncomingHttpHeaders } from "node:http";
import { z } from "zod";

/** The isolation levels in the header's spelling, and in SQL. */
const ISOLATION_LEVELS = {
  ReadUncommitted: "READ UNCOMMITTED",
  ReadCommitted: "READ COMMITTED",
  RepeatableRead: "REPEATABLE READ",
  Serializable: "SERIALIZABLE",
} as const;

const Query = z.object({
  query: z.string(),
  params: z.array(z.json()).default([]),
  arrayMode: z.boolean().nullish(),
});
const Payload = z.union([z.object({ queries: z.array(Query) }), Query]);

export interface SqlQuery {
  readonly text: string;
  /** In Postgres's text form, from which every type can be read. The client library writes arrays. */
  readonly params: readonly SqlParam[];
  /** Rows as arrays, not objects. */
  readonly arrayMode: boolean;
}

export type SqlParam = string | null | readonly SqlArrayItem[];
export type SqlArrayItem = string | null | readonly SqlArrayItem[];

export interface SqlRequest {
  /** Queries of one transaction, or a single query on its own. */
  readonly kind: "batch" | "single";
  readonly queries: readonly SqlQuery[];
  /** Values as Postgres's own text, or as JSON values for types that JSON has. */
  readonly rawText: boolean;
  /** The statement that opens a batch's transaction. */
  readonly begin: string;
}

export type SqlRequestResult = { readonly ok: true; readonly request: SqlRequest } | { ok: false; message: string };

export function parseSqlRequest(headers: IncomingHttpHeaders, body: string): SqlRequestResult {
  const begin = beginStatement(headers);
  if (begin === undefined) return refusal("invalid isolation level");

  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return refusal("the body is not JSON");
  }
  const payload = Payload.safeParse(json);
  if (!payload.success) return refusal("the body is neither {query, params} nor {queries: [{query, params}, …]}");

  const arrayMode = headers["neon-array-mode"] === "true";
  const read = (query: z.infer<typeof Query>): SqlQuery => ({
    text: query.query,
    params: query.params.map(paramText),
    arrayMode: query.arrayMode ?? arrayMode,
  });
  const batch = "queries" in payload.data;
  return {
    ok: true,
    request: {
      kind: batch ? "batch" : "single",
      queries: "queries" in payload.data ? payload.data.queries.map(read) : [read(payload.data)],
      rawText: headers["neon-raw-text-output"] === "true",
      begin,
    },
  };
}

/** Like the proxy: a header counts only if it is exactly `true`; an unknown isolation level is an error. */
function beginStatement(headers: IncomingHttpHeaders): string | undefined {
  const level = headers["neon-batch-isolation-level"];
  const parts = ["BEGIN"];
  if (level !== undefined) {
    const known = Object.entries(ISOLATION_LEVELS).find(([name]) => name === level);
    if (known === undefined) return undefined;
    parts.push(`ISOLATION LEVEL ${known[1]}`);
  }
  if (headers["neon-batch-read-only"] === "true") parts.push("READ ONLY");
  if (headers["neon-batch-deferrable"] === "true") parts.push("DEFERRABLE");
  return parts.join(" ");
}

/** A JSON value as a parameter: scalars and objects as their text, arrays as Postgres arrays of such texts. */
function paramText(value: z.core.util.JSONType): SqlParam {
  return Array.isArray(value) ? value.map(paramText) : scalarText(value);
}

function scalarText(value: z.core.util.JSONType): string | null {
  if (value === null || typeof value === "string") return value;
  return JSON.stringify(value);
}

function refusal(message: string): SqlRequestResult {
  return { ok: false, message };
}
