// `npm run bench`: installs the systems that the router is compared with, apart from the project's own dependencies,
// and runs the benchmark. Arguments go to it: `npm run bench -- --help`.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fail, installDependencies, npmCommand, ROOT, requireNode, runOnNode24 } from "./bootstrap.mjs";

requireNode();
installDependencies();
const bench = join(ROOT, "bench");
if (!existsSync(join(bench, "node_modules", ".package-lock.json"))) {
  process.stderr.write("Installing the systems to compare with … ");
  const [command, ...args] = npmCommand("ci", "--no-audit", "--no-fund", "--loglevel=error");
  const npm = spawnSync(command, args, { cwd: bench, encoding: "utf8" });
  if (npm.status !== 0) fail(`failed.\n\n${npm.stderr}`);
  process.stderr.write("done.\n");
}
process.exitCode = await runOnNode24([join(bench, "run.ts"), ...process.argv.slice(2)]);
