// `npm run deploy`: migrates the Postgres of DATABASE_URL, then deploys the script with wrangler. The database comes
// first: a migration only adds, so the running version keeps working meanwhile. Arguments go to wrangler.
import { spawnSync } from "node:child_process";
import { fail, installDependencies, ROOT, requireNode, runOnNode24 } from "./bootstrap.mjs";

const HELP = `Migrates the database and deploys the router to your Cloudflare account.

  DATABASE_URL=postgresql://… npm run deploy -- [options of wrangler deploy]

  --dry-run   build only, without migration and deployment
  --help      show this text

docs/operations.md lists the preparations for the first deployment.
`;

requireNode();
const args = process.argv.slice(2);
if (args.includes("--help")) console.log(HELP);
else {
  const dryRun = args.includes("--dry-run");
  if (!dryRun && !process.env.DATABASE_URL) {
    fail("DATABASE_URL is not set. Pass the database of the deployment: DATABASE_URL=postgresql://… npm run deploy");
  }
  installDependencies();
  if (!dryRun) {
    const migrated = await runOnNode24([`${ROOT}/scripts/local/migrate-command.ts`]);
    if (migrated !== 0) fail("The migration failed, so nothing was deployed.", migrated);
  }
  process.exitCode = deploy();
}

/**
 * Runs wrangler with this terminal: it may have to ask for the account. The database's credentials stay out of its
 * environment.
 */
function deploy() {
  const { DATABASE_URL: _, ...env } = process.env;
  const node24 = `${ROOT}/node_modules/node/bin/node`;
  const wrangler = `${ROOT}/node_modules/wrangler/bin/wrangler.js`;
  const done = spawnSync(node24, [wrangler, "deploy", ...args], { cwd: ROOT, env, stdio: "inherit" });
  return done.status ?? 1;
}
