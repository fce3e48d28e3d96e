// Every answer of the management API in one place. An error is `{error}` with a sentence that says what happened and
// what to do; for a body of the wrong form, `fields` names what to change. Nothing of the request is echoed.
import type { z } from "zod";
import type { DatabaseFault } from "./database-faults.ts";
import type { OrganizationOutcome } from "./organizations.ts";

/** An answer with keys in it is for the one who asked, not for a cache. */
const PRIVATE = { "Cache-Control": "no-store" };

const DATABASE_FAULTS: Readonly<Record<DatabaseFault, string>> = {
  unreachable: "Postgres cannot be reached. Events are still routed; try again in a moment.",
  refused: "Postgres refuses the user or the database of DATABASE_URL. Events are still routed.",
  "not migrated": "Postgres has not the tables of this version. Run `npm run db:migrate` with its DATABASE_URL.",
};

export function organizationAnswer(result: OrganizationOutcome): Response {
  switch (result.outcome) {
    case "created":
      return Response.json(result.organization, { status: 201, headers: PRIVATE });
    case "shown":
      return Response.json(result.organization, { headers: PRIVATE });
    case "slug taken":
      return failure(409, "This slug belongs to another organization. Choose another one.");
    case "not found":
      return failure(404, "There is no organization of this slug.");
    case "database fault":
      return databaseAnswer(result.fault);
    case "not provisioned": {
      const repair = `GET /api/v1/organizations/${result.slug}`;
      return failure(
        503,
        `The organization is stored, but its environments could not be told yet: ${repair} completes it.`,
      );
    }
  }
}

export function databaseAnswer(fault: DatabaseFault): Response {
  return failure(503, DATABASE_FAULTS[fault]);
}

/** The one answer to a missing, malformed or wrong token. */
export function unauthorized(): Response {
  return Response.json(
    { error: "Invalid or Missing API key" },
    { status: 401, headers: { "WWW-Authenticate": 'Bearer realm="switchyard"' } },
  );
}

/** A request that is not of its form, with what to change. */
export function malformed(what: string, error: Pick<z.ZodError, "issues">): Response {
  const fields = error.issues.map((issue) => ({ path: issue.path.join(".") || "(body)", message: issue.message }));
  return Response.json(
    { error: `The ${what} is not of the form: ${fields.map(({ path }) => path).join(", ")}.`, fields },
    { status: 422 },
  );
}

export interface FieldError {
  /** Where in the body, with dots; `(body)` for all of it. */
  readonly path: string;
  readonly message: string;
}

export function nothingHere(): Response {
  return failure(404, "There is nothing at this address.");
}

export function methodNotAllowed(allow: string): Response {
  return Response.json({ error: `Method not allowed. Use ${allow}.` }, { status: 405, headers: { Allow: allow } });
}

export function failure(status: number, error: string): Response {
  return Response.json({ error }, { status });
}
