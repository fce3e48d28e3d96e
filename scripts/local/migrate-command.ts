// The command behind `npm run db:migrate`.
import { applyMigrations } from "./migrate.ts";
import { errorText } from "./start-error.ts";

try {
  await applyMigrations(process.env.DATABASE_URL ?? "");
  console.log("All migrations are applied.");
} catch (error) {
  // The error is the failed query; its cause is Postgres's message.
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  console.error(`The migrations could not be applied: ${errorText(cause)}`);
  process.exitCode = 1;
}
