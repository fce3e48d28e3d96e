// The report of a benchmark's JSON, as Markdown: the output of `npm run bench` and the content of docs/performance.md.
import type { Compared, LatencyAt } from "./compare.ts";
import type { Costs } from "./costs.ts";
import type { Grown } from "./growth.ts";
import type { Spread } from "./measure.ts";
import { PRICES, type Priced } from "./prices.ts";
import type { Effort } from "./round.ts";
import type { StartUp } from "./start-up.ts";

export interface Report {
  readonly at: string;
  readonly machine: Readonly<Record<string, string>>;
  readonly versions: Readonly<Record<string, string>>;
  readonly effort: Effort & { readonly quick: boolean };
  /** Names of missing systems, and the commands that install them. */
  readonly skipped: Readonly<Record<string, string>>;
  readonly compared: readonly Compared[];
  readonly growth: readonly Grown[];
  readonly costs: Costs | null;
  readonly startUp: StartUp | null;
}

/** Share of its first amount that a growth must keep to count as flat. */
const FLAT = 0.8;

export function markdown(report: Report): string {
  const parts = [
    about(report),
    ...(report.compared.length > 0 ? [compared(report), latency(report), ratios(report)] : []),
    ...(report.costs ? [costs(report.costs)] : []),
    ...(report.growth.length > 0 ? [growth(report.growth)] : []),
    ...(report.startUp ? [startUp(report.startUp)] : []),
  ];
  return `${parts.join("\n\n")}\n`;
}

function about({ at, machine, versions, effort, skipped }: Report): string {
  const list = (of: Readonly<Record<string, string>>) =>
    Object.entries(of)
      .map(([name, value]) => `${name} ${value}`)
      .join(", ");
  const lines = [
    `Measured on ${at.slice(0, 10)}${effort.quick ? " with `--quick`" : ""}. Machine: ${list(machine)}. Versions: ${list(versions)}.`,
    `Medians of ${effort.rounds} interleaved rounds, least to most in brackets. ${effort.events} events at saturation after ${effort.warmUp} that are not counted, over ${effort.connections} connections.`,
    ...Object.entries(skipped).map(([name, command]) => `Not measured: ${name}. It needs: \`${command}\`.`),
  ];
  return lines.join("\n\n");
}

function compared({ compared: all }: Report): string {
  const rows = all.map((each) => [
    each.system,
    whole(each.perSecond),
    decimals(each.serverMs, 2),
    each.hostMs ? decimals(each.hostMs, 2) : "",
    megabytes(each.serverBytes),
    each.hostBytes ? megabytes(each.hostBytes) : "",
    each.load.median.toFixed(2),
  ]);
  const header = ["", "completed a second", "ms of processor, server", "host", "MB, server", "host", "load"];
  const notes = all.map(({ system, note }) => `- **${system}**: ${note}.`).join("\n");
  return `## At saturation\n\n${table(header, rows)}\n\nThe floors and _events only_ have no handler: theirs is acknowledged a second. _load_ is how many processors the load generator took; at 1 it would be the limit.\n\n${notes}`;
}

function latency({ compared: all }: Report): string {
  const header = ["", "ack p50", "ack p99", "handler p50", "handler p99"];
  const of = (each: Compared, rate: LatencyAt["rate"]) => each.latency.find((at) => at.rate === rate);
  const rates = all[0]?.latency.map(({ rate }) => rate) ?? [];
  return rates
    .map((rate) => {
      const rows = all.flatMap((each) => {
        const at = of(each, rate);
        if (!at) return [];
        const figures = [at.ack50, at.ack99, at.handler50, at.handler99];
        return [[each.system, ...figures.map((figure) => (figure ? decimals(figure, 1) : ""))]];
      });
      const title = rate === "half" ? "At half of each one's saturation" : `At ${rate} events a second`;
      return `## ${title}\n\nMilliseconds: from sending an event to its acknowledgement, and to the call of its handler.\n\n${table(header, rows)}`;
    })
    .join("\n\n");
}

/** The targets that are ratios of two systems. */
function ratios({ compared: all }: Report): string {
  const named = (name: string) => all.find(({ system }) => system === name);
  const rows: string[][] = [];
  const [router, restate] = [named("switchyard"), named("restate")];
  const [ingestion, object] = [named("switchyard, events only"), named("floor: a bare object")];
  const ack99 = (each: Compared | undefined) => each?.latency.find(({ rate }) => rate === 100)?.ack99.median;
  const add = (what: string, figure: number | undefined, target: string, reached: boolean) => {
    if (figure !== undefined) rows.push([what, figure.toFixed(2), target, reached ? "reached" : "missed"]);
  };
  const toRestate = router && restate && router.perSecond.median / restate.perSecond.median;
  add("completed runs a second, to Restate's", toRestate, "at least 1.5", (toRestate ?? 0) >= 1.5);
  const [ours, theirs] = [ack99(router), ack99(restate)];
  const ack = ours !== undefined && theirs !== undefined ? ours / theirs : undefined;
  add("p99 of the acknowledgement at 100 a second, to Restate's", ack, "at most 1", (ack ?? 2) <= 1);
  const toFloor = ingestion && object && ingestion.perSecond.median / object.perSecond.median;
  add("events a second without a workflow, to the bare object's", toFloor, "at least 0.6", (toFloor ?? 0) >= 0.6);
  return `## Targets\n\n${table(["", "ratio", "target", ""], rows)}`;
}

function costs({ counted, statements, dollarsPerMillion, pricesAsOf, runs, perSecond }: Costs): string {
  const rows = (Object.keys(PRICES) as Priced[]).map((name) => [
    PRICES[name].text,
    counted[name].toFixed(name === "objectSeconds" ? 4 : 2),
    (PRICES[name].dollars * 1e6).toFixed(4),
    dollarsPerMillion[name].toFixed(2),
  ]);
  rows.push(
    ["statement to Postgres", statements.toFixed(4), "", ""],
    ["all", "", "", dollarsPerMillion.all.toFixed(2)],
  );
  return `## What a completed run costs\n\nCounted over ${runs} runs that came at ${perSecond} a second, in all objects of the script. List prices of ${pricesAsOf}, beyond what the plan includes. The processor's time is all of workerd's, which is more than the Worker's that is billed.\n\n${table(["for each completed run", "", "dollars a million", "dollars for a million runs"], rows)}`;
}

function growth(all: readonly Grown[]): string {
  const rows = all.map(({ kind, amount, perSecond, serverMs, bytesPerSecond }) => {
    const first = all.find((other) => other.kind === kind);
    const part = first ? perSecond.median / first.perSecond.median : 1;
    const work = first ? serverMs.median / first.serverMs.median : 1;
    const bytes = bytesPerSecond ? `${(bytesPerSecond.median / 1e6).toFixed(2)} MB/s` : part >= FLAT ? "flat" : "falls";
    return [
      kind,
      amount.toLocaleString("en"),
      whole(perSecond),
      part.toFixed(2),
      decimals(serverMs, 2),
      work.toFixed(2),
      bytes,
    ];
  });
  const header = ["", "", "completed a second", "to the first", "ms of processor", "to the first", ""];
  return `## Growth\n\n_flat_: at least ${FLAT} of the first.\n\n${table(header, rows)}`;
}

function startUp({ scriptBytes, compressedBytes, scriptMs, bareMs }: StartUp): string {
  return `## Start\n\nThe script has ${kilobytes(scriptBytes)}, ${kilobytes(compressedBytes)} compressed. From the start of workerd to its first answer: ${decimals(scriptMs, 0)} ms; with a script that does nothing, ${decimals(bareMs, 0)} ms. The difference is what a cold start adds.`;
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, i) => Math.max(3, title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  return [line(header), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

const decimals = ({ median, least, most }: Spread, digits: number): string =>
  `${median.toFixed(digits)} (${least.toFixed(digits)}-${most.toFixed(digits)})`;
const whole = (figures: Spread): string => decimals(figures, 0);
const megabytes = ({ median }: Spread): string => (median / 1e6).toFixed(0);
const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(0)} kB`;
