// `npm test`: the whole check. Installs what is missing, then types and lint, then every kind of test; the first that
// fails ends it. Arguments go to vitest: `npm test -- tests/system`.
import { spawnSync } from "node:child_process";
import { fail, installDependencies, npmCommand, ROOT, requireNode, runOnNode24 } from "./bootstrap.mjs";

requireNode();
installDependencies();

console.log("\n== Types and lint ==\n");
const [command, ...args] = npmCommand("run", "--silent", "check");
const check = spawnSync(command, args, { cwd: ROOT, stdio: "inherit" });
if (check.status !== 0) fail("\nTypes or lint failed: the tests were not run.", check.status || 1);

console.log("\n== Tests ==\n");
process.chdir(ROOT);
process.exitCode = await runOnNode24([`${ROOT}/node_modules/vitest/vitest.mjs`, "run", ...process.argv.slice(2)]);
