// `npm run bench`: the same work for each system, interleaved in rounds. An event comes in over HTTP, is acknowledged
// when it is durable, reaches a handler in another process, and its completion is recorded.
import { execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { cpus, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { compare } from "./compare.ts";
import { countCosts } from "./costs.ts";
import { growth } from "./growth.ts";
import { monotonicMs } from "./measure.ts";
import { profileSystem } from "./profile.ts";
import { markdown, type Report } from "./report.ts";
import type { Effort } from "./round.ts";
import { measureStartUp } from "./start-up.ts";
import type { System } from "./system.ts";
import { bullmqAlways, bullmqEverySecond } from "./systems/bullmq.ts";
import { bareObject, bareWorker } from "./systems/floor.ts";
import { pgBoss } from "./systems/pg-boss.ts";
import { restate } from "./systems/restate.ts";
import { switchyard, switchyardBatched, switchyardIngestion, switchyardReference } from "./systems/switchyard.ts";

const SYSTEMS: readonly System[] = [
  switchyard,
  switchyardReference,
  restate,
  pgBoss,
  bullmqAlways,
  bullmqEverySecond,
  switchyardBatched,
  switchyardIngestion,
  bareObject,
  bareWorker,
];
const PARTS = ["compare", "growth", "costs", "start"];
const DOCUMENT = new URL("../docs/performance.md", import.meta.url);
const FORMATTER = new URL("../node_modules/@biomejs/biome/bin/biome", import.meta.url);
const MARK = "<!-- What follows is written by `npm run bench -- --report`. -->";

const HELP = `Measures the router beside alternatives.

  npm run bench                          everything; about 50 minutes
  npm run bench -- --quick               fewer events and rounds; under two minutes
  npm run bench -- --part PART           only ${PARTS.join(", ")}; may be given several times
  npm run bench -- --only NAME           compare only systems with NAME in their name; may be given several times
  npm run bench -- --rounds N            set the number of rounds
  npm run bench -- --json FILE           also write all figures to FILE
  npm run bench -- --report FILE         write docs/performance.md from such a FILE, without measuring
  npm run bench -- --profile [FILE]      profile the router instead; FILE opens in a browser's tools
  npm run bench -- --spread              run the simulation behind docs/scale.md instead

Systems: ${SYSTEMS.map(({ name }) => name).join("; ")}.
`;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    part: { type: "string", multiple: true, default: [] },
    only: { type: "string", multiple: true, default: [] },
    rounds: { type: "string" },
    json: { type: "string" },
    report: { type: "string" },
    profile: { type: "boolean", default: false },
    spread: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
const began = monotonicMs();
if (options.help) {
  console.log(HELP);
} else if (options.report !== undefined) {
  await writeDocument(JSON.parse(await readFile(options.report, "utf8")) as Report);
} else if (options.profile) {
  const system = SYSTEMS.find(({ name }) => options.only.some((part) => name.includes(part))) ?? switchyard;
  await profileSystem(system, options.quick ? 1_000 : 5_000, positionals[0]);
} else if (options.spread) {
  await import("./spread.ts");
} else {
  const report = await measure();
  console.log(markdown(report));
  console.log(`${((monotonicMs() - began) / 1000).toFixed(0)} s in all.`);
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(report, null, 2)}\n`);
}
process.exit(0);

async function measure(): Promise<Report> {
  const { quick } = options;
  const effort: Effort = {
    ...(quick
      ? { rounds: 2, events: 400, connections: 32, rates: [100], rateSeconds: 1, warmUp: 200 }
      : { rounds: 5, events: 4_000, connections: 32, rates: [100, 300, "half"], rateSeconds: 10, warmUp: 2_000 }),
    ...(options.rounds !== undefined && { rounds: Number(options.rounds) }),
  };
  const measured = (part: string) => options.part.length === 0 || options.part.includes(part);
  const wanted = SYSTEMS.filter(
    ({ name }) => options.only.length === 0 || options.only.some((part) => name.includes(part)),
  );
  const skipped: Record<string, string> = {};
  const present: System[] = [];
  for (const system of measured("compare") ? wanted : []) {
    const needs = await system.missing();
    if (needs === null) present.push(system);
    else skipped[system.name] = needs;
  }
  for (const [name, needs] of Object.entries(skipped)) console.error(`Skipped: ${name}. It needs: ${needs}`);
  const compared = await compare(present, effort, progress);
  const growthEffort = quick ? { ...effort, rounds: 1 } : { ...effort, rounds: Math.min(effort.rounds, 3) };
  const grown = measured("growth") ? await growth(quick ? "quick" : "full", growthEffort, progress) : [];
  progress("costs");
  const costs = measured("costs") ? await countCosts(quick ? 200 : 2_000, 100) : null;
  progress("start");
  const startUp = measured("start") ? await measureStartUp(quick ? 3 : 10) : null;
  progress("");
  return {
    at: new Date().toISOString(),
    machine: {
      processors: `${cpus().length} (${cpus()[0]?.model.trim() ?? "unknown"})`,
      memory: `${(totalmem() / 1e9).toFixed(0)} GB`,
    },
    versions: await versions(),
    effort: { ...effort, quick },
    skipped,
    compared,
    growth: grown,
    costs,
    startUp,
  };
}

/** A progress line: overwritten in a terminal, one line each in a log. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${text.padEnd(90)}\r`);
  else if (text !== "") process.stderr.write(`${((monotonicMs() - began) / 1000).toFixed(0)} s  ${text}\n`);
}

async function versions(): Promise<Record<string, string>> {
  const locked = async (lock: string, name: string) => {
    const { packages } = JSON.parse(await readFile(new URL(lock, import.meta.url), "utf8")) as {
      packages: Record<string, { version: string }>;
    };
    return packages[`node_modules/${name}`]?.version ?? "unknown";
  };
  const own = "package-lock.json";
  return {
    node: process.version,
    workerd: await locked("../package-lock.json", "workerd"),
    "@trigger.dev/sdk": await locked(own, "@trigger.dev/sdk"),
    restate: await locked(own, "@restatedev/restate-server"),
    "pg-boss": await locked(own, "pg-boss"),
    bullmq: await locked(own, "bullmq"),
    PostgreSQL: programVersion("/usr/bin/psql"),
    Redis: programVersion("redis-server"),
  };
}

function programVersion(program: string): string {
  try {
    return /\d+(?:\.\d+)+/.exec(execFileSync(program, ["--version"], { encoding: "utf8" }))?.[0] ?? "unknown";
  } catch {
    return "not installed";
  }
}

/** The text before the mark is written by hand and stays. */
async function writeDocument(report: Report): Promise<void> {
  const [byHand = ""] = (await readFile(DOCUMENT, "utf8")).split(MARK);
  await writeFile(DOCUMENT, `${byHand}${MARK}\n\n${markdown(report)}`);
  // Aligns the tables, as the check demands.
  execFileSync(process.execPath, [fileURLToPath(FORMATTER), "format", "--write", fileURLToPath(DOCUMENT)]);
}
