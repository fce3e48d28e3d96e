// The command behind `npm run db:migrate`.
import { applyMigrations } from "./migrate.ts";
import { errorText } from "./start-error.ts";

try {
  await applyMigrations(process.env.DATABASE_URL ?? "");
  console.log("The database has every migration.");
} catch (error) {
  // The query that failed is the error, what Postgres said about it is its cause.
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  console.error(`The migrations were not applied: ${errorText(cause)}`);
  process.exitCode = 1;
}
