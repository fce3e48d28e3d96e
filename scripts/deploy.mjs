// `npm run deploy`: migrates the Postgres of DATABASE_URL, then deploys the script with wrangler. The database first: a
// migration only adds, so the version that runs meanwhile goes on with it. Arguments go to wrangler.
import { spawnSync } from "node:child_process";
import { fail, installDependencies, ROOT, requireNode, runOnNode24 } from "./bootstrap.mjs";

const HELP = `Migrates the database and deploys the router to your Cloudflare account.

  DATABASE_URL=postgresql://… npm run deploy -- [options of wrangler deploy]

  --dry-run   only builds: migrates nothing, deploys nothing
  --help      shows this

docs/operations.md says what has to be there the first time.
`;

requireNode();
const args = process.argv.slice(2);
if (args.includes("--help")) console.log(HELP);
else {
  const dryRun = args.includes("--dry-run");
  if (!dryRun && !process.env.DATABASE_URL) {
    fail("DATABASE_URL is not set. Give the database of the deployment: DATABASE_URL=postgresql://… npm run deploy");
  }
  installDependencies();
  if (!dryRun) {
    const migrated = await runOnNode24([`${ROOT}/scripts/local/migrate-command.ts`]);
    if (migrated !== 0) fail("Nothing was deployed.", migrated);
  }
  process.exitCode = deploy();
}

/** wrangler with this terminal: it may have to ask for the account. It never sees the database's credentials. */
function deploy() {
  const { DATABASE_URL: _, ...env } = process.env;
  const node24 = `${ROOT}/node_modules/node/bin/node`;
  const wrangler = `${ROOT}/node_modules/wrangler/bin/wrangler.js`;
  const done = spawnSync(node24, [wrangler, "deploy", ...args], { cwd: ROOT, env, stdio: "inherit" });
  return done.status ?? 1;
}
