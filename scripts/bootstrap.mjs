// What has to happen before anything of this project can run: a Node that is new enough, the dependencies, and then
// Node 24, which is one of them. Runs on Node 20 without any dependency.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { basename, delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const NODE_MAJOR_MIN = 20;
const PARENT_WATCHED_EVERY_MS = 100;
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const MODULES = join(ROOT, "node_modules");
const NODE_24 = join(MODULES, "node", "bin", "node");
const STAMP = join(MODULES, ".switchyard-installed");

/** Ends the process with a message when it runs on a Node that is too old for what comes next. */
export function requireNode() {
  if (Number(process.versions.node.split(".")[0]) >= NODE_MAJOR_MIN) return;
  console.error(
    `Switchyard needs Node ${NODE_MAJOR_MIN} or newer to start; this is ${process.version}. See https://nodejs.org.`,
  );
  process.exit(1);
}

/** Ends the process with a message. Code 2 is for a command line that cannot be understood. */
export function fail(message, code = 1) {
  console.error(message);
  process.exit(code);
}

/** Installs the dependencies when there are none, or others than package-lock.json names. Does nothing otherwise. */
export function installDependencies() {
  const lock = readFileSync(join(ROOT, "package-lock.json"), "utf8");
  const digest = createHash("sha256").update(lock).digest("hex");
  if (readIfThere(STAMP) === digest && existsSync(NODE_24)) return;
  if (!isInstalled(JSON.parse(lock))) {
    const started = Date.now();
    process.stderr.write("Installing dependencies with npm ci, which takes half a minute … ");
    const [command, ...args] = npmCommand("ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error");
    const npm = spawnSync(command, args, { cwd: ROOT, encoding: "utf8" });
    if (npm.error || npm.status !== 0) {
      fail(`failed.\n\n${npm.error ? npm.error.message : `${npm.stdout}\n${npm.stderr}`.trim()}`);
    }
    process.stderr.write(`done in ${Math.round((Date.now() - started) / 1000)} s.\n`);
  }
  if (!existsSync(NODE_24)) {
    fail(`${NODE_24} is missing: npm must be allowed to run install scripts (npm config get ignore-scripts).`);
  }
  writeFileSync(STAMP, digest);
}

/**
 * Whether someone has installed already what the lock file names, e.g. with `npm install`: npm keeps a list of what is
 * there. An install that was interrupted has none.
 */
function isInstalled(lock) {
  const list = readIfThere(join(MODULES, ".package-lock.json"));
  if (list === null || !existsSync(NODE_24)) return false;
  const there = JSON.parse(list).packages;
  const same = ([path, wanted]) => {
    const found = there[path];
    if (found === undefined) return wanted.optional === true || !path.includes("node_modules/");
    return found.version === wanted.version && found.integrity === wanted.integrity;
  };
  return Object.entries(lock.packages).every(same) && Object.keys(there).every((path) => path in lock.packages);
}

/**
 * Runs a program on Node 24 with this process's terminal and answers its exit code. Signals are passed on. The channel
 * between the two tells the program when this process is gone without having been able to say so.
 */
export function runOnNode24(args) {
  const env = {
    ...process.env,
    PATH: `${dirname(NODE_24)}${delimiter}${process.env.PATH ?? ""}`,
    // The second start need not compile the same modules again.
    NODE_COMPILE_CACHE: join(MODULES, ".cache", "switchyard", "compiled"),
  };
  const child = spawn(NODE_24, args, { cwd: process.cwd(), env, stdio: ["inherit", "inherit", "inherit", "ipc"] });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  if (process.env.npm_lifecycle_event !== undefined) whenParentEnds(() => child.kill("SIGTERM"));
  return new Promise((resolve) => {
    child.on("error", (error) => fail(`Node 24 cannot be run: ${error.message}`));
    // As a shell would say it: a program that a signal has ended has no exit code of its own.
    child.on("exit", (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
  });
}

/** npm passes a signal to the shell between it and us, and a shell that ends by it tells nobody. */
function whenParentEnds(end) {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    end();
  }, PARENT_WATCHED_EVERY_MS);
  timer.unref();
}

/** The npm that runs this script, on the Node that runs it (ours may be among what it replaces), or the one in the path. */
export function npmCommand(...args) {
  const { npm_execpath: npm, npm_node_execpath: node } = process.env;
  return npm && node && basename(npm) === "npm-cli.js" ? [node, npm, ...args] : ["npm", ...args];
}

function readIfThere(path) {
  return existsSync(path) ? readFileSync(path, "utf8") : null;
}
