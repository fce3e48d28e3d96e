// All systems side by side, in interleaved rounds.
import { Rounds, type Spread } from "./measure.ts";
import { Driver, type Effort, withRunning } from "./round.ts";
import type { System } from "./system.ts";

export interface LatencyAt {
  readonly rate: Effort["rates"][number];
  readonly ack50: Spread;
  readonly ack99: Spread;
  readonly handler50: Spread | null;
  readonly handler99: Spread | null;
}

export interface Compared {
  readonly system: string;
  readonly note: string;
  readonly perSecond: Spread;
  /** Processors that the load took at saturation; 1 is its maximum. */
  readonly load: Spread;
  readonly serverMs: Spread;
  readonly hostMs: Spread | null;
  readonly serverBytes: Spread;
  readonly hostBytes: Spread | null;
  readonly latency: readonly LatencyAt[];
}

const NONE: Spread = { median: Number.NaN, least: Number.NaN, most: Number.NaN };

export async function compare(
  systems: readonly System[],
  effort: Effort,
  progress: (text: string) => void,
): Promise<Compared[]> {
  const { rates } = effort;
  const figures = new Map(systems.map((system) => [system, new Rounds<string>()]));
  for (let round = 1; round <= effort.rounds; round++) {
    for (const [system, rounds] of figures) {
      progress(`round ${round} of ${effort.rounds}: ${system.name}`);
      await withRunning(system.start, async (running) => {
        const driver = new Driver(running, effort.connections);
        await driver.saturate(effort.warmUp);
        const saturation = await driver.saturate(effort.events);
        rounds.add(present(saturation));
        for (const rate of rates) {
          const perSecond = rate === "half" ? saturation.perSecond / 2 : rate;
          const latency = await driver.atRate(perSecond, effort.rateSeconds);
          rounds.add(present(latency, `${rate} `));
        }
        driver.close();
      });
    }
  }
  return [...figures].map(([{ name, note }, rounds]) => ({
    system: name,
    note,
    perSecond: rounds.spread("perSecond") ?? NONE,
    load: rounds.spread("load") ?? NONE,
    serverMs: rounds.spread("serverMs") ?? NONE,
    hostMs: rounds.spread("hostMs"),
    serverBytes: rounds.spread("serverBytes") ?? NONE,
    hostBytes: rounds.spread("hostBytes"),
    latency: rates.map((rate) => ({
      rate,
      ack50: rounds.spread(`${rate} ack50`) ?? NONE,
      ack99: rounds.spread(`${rate} ack99`) ?? NONE,
      handler50: rounds.spread(`${rate} handler50`),
      handler99: rounds.spread(`${rate} handler99`),
    })),
  }));
}

/** All figures that exist. */
function present(figures: object, prefix = ""): Record<string, number> {
  const there = Object.entries(figures).filter((entry): entry is [string, number] => entry[1] !== null);
  return Object.fromEntries(there.map(([name, value]) => [prefix + name, value]));
}
