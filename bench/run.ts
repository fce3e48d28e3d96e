// `npm run bench`: the same work for each system, interleaved in rounds. An event comes in over HTTP, is acknowledged
// when it is durable, reaches a handler in another process, and its completion is recorded.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Load } from "./load.ts";
import { monotonicMs, quantile, type Spread, spread } from "./measure.ts";
import type { Running, System } from "./system.ts";
import { bullmqAlways, bullmqEverySecond } from "./systems/bullmq.ts";
import { bareObject, bareWorker } from "./systems/floor.ts";
import { pgBoss } from "./systems/pg-boss.ts";
import { restate } from "./systems/restate.ts";
import { switchyard, switchyardIngestion, switchyardReference } from "./systems/switchyard.ts";

const SYSTEMS: readonly System[] = [
  switchyard,
  switchyardReference,
  restate,
  pgBoss,
  bullmqAlways,
  bullmqEverySecond,
  switchyardIngestion,
  bareObject,
  bareWorker,
];

const HELP = `Measures the router beside what could be used instead.

  npm run bench                          everything; about ten minutes
  npm run bench -- --quick               fewer events and rounds; under two minutes
  npm run bench -- --only NAME           only systems whose name holds NAME; may be given several times
  npm run bench -- --json FILE           writes all figures to FILE too

Systems: ${SYSTEMS.map(({ name }) => name).join("; ")}.
`;

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] },
    json: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  console.log(HELP);
  process.exit(0);
}

const EFFORT = options.quick
  ? { rounds: 3, events: 500, connections: 32, rates: [100], rateSeconds: 2, warmUp: 200 }
  : { rounds: 5, events: 3_000, connections: 32, rates: [100, 300], rateSeconds: 10, warmUp: 1_000 };

interface Latency {
  readonly perSecond: number;
  readonly acknowledge: { readonly p50: Spread; readonly p99: Spread };
  /** From the sending of the event to the call of its handler. */
  readonly handler: { readonly p50: Spread; readonly p99: Spread } | null;
}

interface Result {
  readonly system: string;
  readonly note: string;
  /** Events a second, completed where there is a handler, else acknowledged. */
  readonly throughput: Spread;
  readonly latency: readonly Latency[];
  readonly memoryBytes: Spread;
}

interface Measured {
  readonly system: System;
  readonly running: Running;
  readonly load: Load;
  next: number;
  readonly throughput: number[];
  readonly memory: number[];
  readonly latency: Map<number, { ack50: number[]; ack99: number[]; handler50: number[]; handler99: number[] }>;
}

const began = monotonicMs();
const directory = await mkdtemp(join(tmpdir(), "switchyard-bench-"));
const wanted = SYSTEMS.filter(
  ({ name }) => options.only.length === 0 || options.only.some((part) => name.includes(part)),
);
const results: Result[] = [];
try {
  const missing = new Map<string, string>();
  const present: System[] = [];
  for (const system of wanted) {
    const needs = await system.missing();
    if (needs === null) present.push(system);
    else missing.set(system.name, needs);
  }
  for (const [name, needs] of missing) console.log(`skipped: ${name}. It needs: ${needs}`);
  results.push(...(await measureAll(present)));
} finally {
  await rm(directory, { recursive: true, force: true });
}
printTable(results);
if (options.json !== undefined) {
  const machine = { cpus: cpus().length, model: cpus()[0]?.model, memoryBytes: totalmem(), node: process.version };
  const effort = { ...EFFORT, quick: options.quick };
  await writeFile(
    options.json,
    `${JSON.stringify({ at: new Date().toISOString(), machine, effort, results }, null, 2)}\n`,
  );
}
console.log(`\n${((monotonicMs() - began) / 1000).toFixed(0)} s in all.`);
process.exit(0);

/**
 * Every round starts each system anew on an empty directory, measures it and stops it, so that none runs beside another
 * and what the machine does meanwhile meets all alike.
 */
async function measureAll(systems: readonly System[]): Promise<Result[]> {
  const all = new Map<System, Pick<Measured, "throughput" | "memory" | "latency">>(
    systems.map((system) => [system, { throughput: [], memory: [], latency: new Map() }]),
  );
  for (let round = 1; round <= EFFORT.rounds; round++) {
    for (const [system, figures] of all) {
      progress(`round ${round} of ${EFFORT.rounds}: ${system.name}`);
      const own = await mkdtemp(join(directory, "system-"));
      const running = await system.start(own);
      const load = new Load(running.url, EFFORT.connections, (n) => running.request(n));
      await measure({ system, running, load, next: 0, ...figures });
      await load.close();
      await running.stop();
      await rm(own, { recursive: true, force: true });
    }
  }
  progress("");
  return [...all].map(([{ name, note }, { throughput, memory, latency }]) => ({
    system: name,
    note,
    throughput: spread(throughput),
    memoryBytes: spread(memory),
    latency: [...latency].map(([perSecond, { ack50, ack99, handler50, handler99 }]) => ({
      perSecond,
      acknowledge: { p50: spread(ack50), p99: spread(ack99) },
      handler: handler50.length === 0 ? null : { p50: spread(handler50), p99: spread(handler99) },
    })),
  }));
}

/** One line that is written over, where someone looks on. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${text.padEnd(70)}\r`);
}

async function measure(measured: Measured): Promise<void> {
  const { running, load } = measured;
  const take = (count: number) => {
    const first = measured.next;
    measured.next += count;
    return first;
  };
  await together(running, take(EFFORT.warmUp), EFFORT.warmUp, (first) => load.asFastAsPossible(first, EFFORT.warmUp));

  for (const perSecond of EFFORT.rates) {
    const count = perSecond * EFFORT.rateSeconds;
    const first = take(count);
    const { sent, handled } = await together(running, first, count, () => load.atRate(first, count, perSecond));
    const figures = measured.latency.get(perSecond) ?? { ack50: [], ack99: [], handler50: [], handler99: [] };
    measured.latency.set(perSecond, figures);
    const acknowledge = Array.from(sent.acknowledgedAt, (at, i) => at - (sent.sentAt[i] ?? 0));
    figures.ack50.push(quantile(acknowledge, 0.5));
    figures.ack99.push(quantile(acknowledge, 0.99));
    if (handled) {
      const reached = Array.from(handled.handledAt, (at, i) => at - (sent.sentAt[i] ?? 0));
      figures.handler50.push(quantile(reached, 0.5));
      figures.handler99.push(quantile(reached, 0.99));
    }
  }

  const first = take(EFFORT.events);
  const { sent, handled } = await together(running, first, EFFORT.events, () =>
    load.asFastAsPossible(first, EFFORT.events),
  );
  const last = Math.max(...(handled ?? { completedAt: sent.acknowledgedAt }).completedAt);
  measured.throughput.push(EFFORT.events / ((last - Math.min(...sent.sentAt)) / 1000));
  measured.memory.push(await running.memory());
}

/** Sends, and waits until all is handled. Asked for first, so that the last completion is reported when it happens. */
async function together<T>(running: Running, first: number, count: number, send: (first: number) => Promise<T>) {
  const handled = running.handled?.(first, count) ?? null;
  const sent = await send(first);
  return { sent, handled: handled && (await handled) };
}

function printTable(all: readonly Result[]): void {
  const ms = ({ median, least, most }: Spread) => `${median.toFixed(1)} (${least.toFixed(1)}-${most.toFixed(1)})`;
  const header = ["", "per second", "MB"];
  for (const rate of EFFORT.rates) header.push(`ack p50 at ${rate}/s`, "ack p99", "handler p50", "handler p99");
  const rows = all.map(({ system, throughput, memoryBytes, latency }) => [
    system,
    `${throughput.median.toFixed(0)} (${throughput.least.toFixed(0)}-${throughput.most.toFixed(0)})`,
    (memoryBytes.median / 1e6).toFixed(0),
    ...latency.flatMap(({ acknowledge, handler }) => [
      ms(acknowledge.p50),
      ms(acknowledge.p99),
      handler ? ms(handler.p50) : "",
      handler ? ms(handler.p99) : "",
    ]),
  ]);
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  console.log(`Median of ${EFFORT.rounds} rounds (least-most); times in milliseconds.\n`);
  console.log(line(header));
  console.log(line(widths.map((width) => "-".repeat(width))));
  for (const row of rows) console.log(line(row));
  console.log("");
  for (const { system, note } of all) console.log(`${system}: ${note}.`);
}
