// The answers that every Worker of the router gives alike. An error is `{error}` with a sentence that says what happened
// and what to do; for a body of the wrong form, `fields` names what to change. Nothing of the request is echoed.
import type { z } from "zod";

export interface FieldError {
  /** Where in the body, with dots: `event.name`; `(body)` for all of it. */
  readonly path: string;
  readonly message: string;
}

export function failure(status: number, error: string, fields?: readonly FieldError[]): Response {
  return Response.json(fields ? { error, fields } : { error }, { status });
}

/** The one answer to credentials that are missing, malformed, forged, unknown, revoked or expired. */
export function unauthorized(): Response {
  return Response.json(
    { error: "Invalid or Missing API key" },
    { status: 401, headers: { "WWW-Authenticate": 'Bearer realm="switchyard"' } },
  );
}

export function methodNotAllowed(allow: string): Response {
  return Response.json({ error: `Method not allowed. Use ${allow}.` }, { status: 405, headers: { Allow: allow } });
}

export function nothingHere(): Response {
  return failure(404, "There is nothing at this address.");
}

/** What is wrong with something of the wrong form, and where. */
export function formError(what: string, error: Pick<z.ZodError, "issues">): { error: string; fields: FieldError[] } {
  const fields = error.issues.map((issue) => ({ path: issue.path.join(".") || "(body)", message: issue.message }));
  return { error: `The ${what} is not of the form: ${fields.map(({ path }) => path).join(", ")}.`, fields };
}

/** A request that is not of its form, with what to change. */
export function malformed(what: string, error: Pick<z.ZodError, "issues">): Response {
  return Response.json(formError(what, error), { status: 422 });
}

/** An answer that is JSON text already. */
export function jsonText(text: string, init: ResponseInit = {}): Response {
  const headers = new Headers(init.headers);
  headers.set("content-type", "application/json");
  return new Response(text, { ...init, headers });
}
