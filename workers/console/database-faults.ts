// What went wrong with Postgres, as a tagged value that a route can answer with what to do about it.
import { NeonDbError } from "@neondatabase/serverless";

/** Why Postgres did not answer: it is away, it refuses the credentials or the database, or it has no tables yet. */
export type DatabaseFault = "unreachable" | "refused" | "not migrated";

/** The driver's error inside what drizzle wraps around it. */
export function databaseError(error: unknown): NeonDbError | null {
  if (error instanceof NeonDbError) return error;
  return error instanceof Error && error.cause !== undefined ? databaseError(error.cause) : null;
}

/**
 * By SQLSTATE, https://www.postgresql.org/docs/current/errcodes-appendix.html; without one Postgres was not reached.
 * Null for an error that is not Postgres's, and for one that is a fault of the query.
 */
export function databaseFault(error: unknown): DatabaseFault | null {
  const found = databaseError(error);
  if (found === null) return null;
  const code = found.code ?? "08000";
  if (code === "42P01" || code === "42703") return "not migrated";
  if (code.startsWith("28") || code.startsWith("3D")) return "refused";
  return ["08", "53", "57", "58"].includes(code.slice(0, 2)) ? "unreachable" : null;
}

/** Whether a statement failed because it would have broken this unique constraint. */
export function violates(error: unknown, constraint: string): boolean {
  return databaseError(error)?.constraint === constraint;
}

/** Whether Postgres was asked for text that it cannot hold, such as an id with a NUL in it: nothing is called so. */
export function isAboutNothing(error: unknown): boolean {
  return databaseError(error)?.code === "22021";
}
