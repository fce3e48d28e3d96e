// Faults of Postgres as tagged values. An answer tells what to do about each; see answers.ts.
import { NeonDbError } from "@neondatabase/serverless";

/** `refused`: Postgres rejects the credentials or the database. `not migrated`: a table or column is missing. */
export type DatabaseFault = "unreachable" | "refused" | "not migrated";

/** The driver's error, which drizzle wraps in its own. */
export function databaseError(error: unknown): NeonDbError | null {
  if (error instanceof NeonDbError) return error;
  return error instanceof Error && error.cause !== undefined ? databaseError(error.cause) : null;
}

/**
 * Classifies an error by its SQLSTATE, https://www.postgresql.org/docs/current/errcodes-appendix.html.
 * Without a SQLSTATE, Postgres was not reached. Null for any other error, such as a fault of the query.
 */
export function databaseFault(error: unknown): DatabaseFault | null {
  const found = databaseError(error);
  if (found === null) return null;
  const code = found.code ?? "08000";
  if (code === "42P01" || code === "42703") return "not migrated";
  if (code.startsWith("28") || code.startsWith("3D")) return "refused";
  return ["08", "53", "57", "58"].includes(code.slice(0, 2)) ? "unreachable" : null;
}

/** True if a statement failed because of this unique constraint. */
export function violates(error: unknown, constraint: string): boolean {
  return databaseError(error)?.constraint === constraint;
}

/** True if a query contains text that Postgres cannot store, such as an id with a NUL: nothing has such an id. */
export function isAboutNothing(error: unknown): boolean {
  return databaseError(error)?.code === "22021";
}
