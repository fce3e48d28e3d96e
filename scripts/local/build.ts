// The script as `wrangler deploy` would upload it, built by wrangler itself, and the bindings of its wrangler.toml. A
// build of the same sources is used again: wrangler takes two seconds for the same result.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { extname, join, sep } from "node:path";
import { promisify } from "node:util";
import type { V4ModuleDefinition, V4ModuleRuleType } from "miniflare";
import type { Unstable_MiniflareWorkerOptions } from "wrangler";
import { CACHE, ROOT } from "./paths.ts";
import { StartError } from "./start-error.ts";

type WorkerOptions = Unstable_MiniflareWorkerOptions["workerOptions"];

export interface Build {
  /** The script's name: its objects' data is stored under it. */
  readonly name: string;
  /** Cron expressions that call the scheduler. */
  readonly crons: readonly string[];
  /** Bindings, objects and compatibility settings for Miniflare. */
  readonly options: WorkerOptions;
  /** The bundled script first, then the files it imports. */
  readonly modules: V4ModuleDefinition[];
}

/** Folder of the dashboard, beside its script. */
const ASSETS = "assets";
const BUILDS_KEPT = 5;
const SOURCES = ["workers", "shared", "dashboard/src", "dashboard/public"];
const SETTINGS = [
  "wrangler.toml",
  "dashboard/index.html",
  "dashboard/vite.config.ts",
  "package-lock.json",
  ".dev.vars",
  ".env",
  ".env.local",
];
/** The same as wrangler's own rules: https://developers.cloudflare.com/workers/wrangler/bundling/ */
const MODULE_TYPES: Readonly<Record<string, V4ModuleRuleType>> = {
  ".js": "ESModule",
  ".wasm": "CompiledWasm",
  ".bin": "Data",
  ".txt": "Text",
  ".html": "Text",
  ".sql": "Text",
};

/** Builds, or returns the last build of the same sources. Throws a StartError with wrangler's output. */
export async function buildScript(): Promise<Build> {
  const kept = `${CACHE}build-${await digestOfSources()}`;
  const before = await readBuild(kept);
  if (before !== null) return before;
  const fresh = `${kept}.${process.pid}`;
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { recursive: true });
  const [options] = await Promise.all([readOptions(), bundle(fresh)]);
  await writeFile(join(fresh, "options.json"), JSON.stringify(options));
  await cp(`${ROOT}dashboard/dist`, join(fresh, ASSETS), { recursive: true });
  // Another start may have built the same at the same time.
  await rename(fresh, kept).catch(() => rm(fresh, { recursive: true, force: true }));
  await removeOldBuilds();
  const built = await readBuild(kept);
  if (built === null) throw new StartError("wrangler built nothing. Run `npm run build` to see its output.");
  return built;
}

async function digestOfSources(): Promise<string> {
  const hash = createHash("sha256").update(ROOT);
  const listed = await Promise.all(
    SOURCES.map(async (directory) => {
      const entries = await readdir(ROOT + directory, { recursive: true, withFileTypes: true });
      return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    }),
  );
  const files = listed.flat().filter((file) => !file.endsWith(".test.ts"));
  for (const file of [...files.sort(), ...SETTINGS.map((name) => ROOT + name)]) {
    const content = await readFile(file).catch(() => null);
    if (content !== null) hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex").slice(0, 24);
}

async function readOptions(): Promise<Omit<Build, "modules">> {
  const { unstable_getMiniflareWorkerOptions, unstable_readConfig } = await import("wrangler");
  const config = unstable_readConfig({ config: `${ROOT}wrangler.toml` });
  const { workerOptions } = unstable_getMiniflareWorkerOptions(config);
  return { name: config.name ?? "switchyard", crons: config.triggers.crons ?? [], options: workerOptions };
}

async function bundle(directory: string): Promise<void> {
  const args = [`${ROOT}node_modules/wrangler/bin/wrangler.js`, "deploy", "--dry-run", "--outdir", directory];
  const quiet = { WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true", WRANGLER_WRITE_LOGS: "false" };
  try {
    await promisify(execFile)(process.execPath, args, { cwd: ROOT, env: { ...process.env, ...quiet, CI: "true" } });
  } catch (error) {
    const said = (stream: "stderr" | "stdout") =>
      error instanceof Error && stream in error ? String(Reflect.get(error, stream)) : "";
    throw new StartError(`The script could not be built.\n\n${`${said("stderr")}\n${said("stdout")}`.trim()}`);
  }
}

async function readBuild(directory: string): Promise<Build | null> {
  const options = await readFile(join(directory, "options.json"), "utf8").catch(() => null);
  if (options === null) return null;
  const names = (await readdir(directory, { recursive: true })).filter(
    (name) => extname(name) in MODULE_TYPES && !name.startsWith(`${ASSETS}${sep}`),
  );
  // The script itself is the first module, by Miniflare's rule.
  names.sort((a, b) => Number(b === "index.js") - Number(a === "index.js"));
  const modules = names.map(async (name): Promise<V4ModuleDefinition> => {
    const path = join(directory, name);
    return { type: MODULE_TYPES[extname(name)] ?? "Data", path, contents: await readFile(path) };
  });
  const kept = JSON.parse(options) as Omit<Build, "modules">;
  const assets = Object.assign({}, kept.options.assets, { directory: join(directory, ASSETS) });
  return { ...kept, options: { ...kept.options, assets }, modules: await Promise.all(modules) };
}

async function removeOldBuilds(): Promise<void> {
  const names = (await readdir(CACHE)).filter((name) => /^build-[0-9a-f]+$/.test(name));
  const dated = await Promise.all(
    names.map(async (name) => ({ path: CACHE + name, at: (await stat(CACHE + name)).mtimeMs })),
  );
  dated.sort((a, b) => b.at - a.at);
  for (const { path } of dated.slice(BUILDS_KEPT)) await rm(path, { recursive: true, force: true });
}
