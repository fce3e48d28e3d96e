// Every refusal of the ingress in one place, so that what must look alike does. An error is `{error}` with a sentence
// that says what happened and what to do; for a body of the wrong form, `fields` names what to change. Nothing of the
// request is echoed.

import type { NeededScope } from "../../shared/environment-rpc.ts";

/** The one answer to a missing, malformed, forged, unknown, revoked or expired key. */
export function unauthorized(): Response {
  return Response.json(
    { error: "Invalid or Missing API key" },
    { status: 401, headers: { "WWW-Authenticate": 'Bearer realm="switchyard"' } },
  );
}

export function withoutScope(scope: NeededScope): Response {
  const needed = scope === "all" ? "a key without limits" : `one with the scope ${scope}`;
  return Response.json(
    { error: `This API key may not do this. Use ${needed}.` },
    {
      status: 403,
      headers: { "WWW-Authenticate": `Bearer realm="switchyard", error="insufficient_scope", scope="${scope}"` },
    },
  );
}

export function failure(status: number, error: string, fields?: readonly FieldError[]): Response {
  return Response.json(fields ? { error, fields } : { error }, { status });
}

export interface FieldError {
  /** Where in the body, with dots: `event.name`. */
  readonly path: string;
  readonly message: string;
}

export function methodNotAllowed(allow: string): Response {
  return Response.json({ error: `Method not allowed. Use ${allow}.` }, { status: 405, headers: { Allow: allow } });
}

/** An answer that is JSON text already. */
export function jsonText(text: string, init: ResponseInit = {}): Response {
  const headers = new Headers(init.headers);
  headers.set("content-type", "application/json");
  return new Response(text, { ...init, headers });
}
