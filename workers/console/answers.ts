// What the management API answers for an organization, and when Postgres fails it.
import { failure } from "../../shared/kernel/answers.ts";
import type { OrganizationOutcome } from "./control/organizations.ts";
import type { DatabaseFault } from "./database-faults.ts";

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
