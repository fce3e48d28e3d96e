// `npm run db:migrate`: applies the migrations to the Postgres of DATABASE_URL, e.g. before a deployment.
import { fail, installDependencies, ROOT, requireNode, runOnNode24 } from "./bootstrap.mjs";

requireNode();
if (!process.env.DATABASE_URL) {
  fail("DATABASE_URL is not set. Pass the database to migrate: DATABASE_URL=postgresql://… npm run db:migrate");
}
installDependencies();
process.exitCode = await runOnNode24([`${ROOT}/scripts/local/migrate-command.ts`]);
