// Answers of the management API while Postgres is away.
import { failure } from "../../shared/kernel/answers.ts";
import type { DatabaseFault } from "./database-faults.ts";

const DATABASE_FAULTS: Readonly<Record<DatabaseFault, string>> = {
  unreachable: "Postgres cannot be reached. Events are still routed; try again in a moment.",
  refused: "Postgres refuses the user or the database of DATABASE_URL. Events are still routed.",
  "not migrated": "Postgres has not the tables of this version. Run `npm run db:migrate` with its DATABASE_URL.",
};

export function databaseAnswer(fault: DatabaseFault): Response {
  return failure(503, DATABASE_FAULTS[fault]);
}
