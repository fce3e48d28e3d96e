// Growth: the cost of a run beside more and more registered workflows, stored events and connected hosts, and the bytes
// of payload per second. Each kind is interleaved in rounds like the systems.
import { Rounds, type Spread } from "./measure.ts";
import { Driver, type Effort, withRunning } from "./round.ts";
import { type Setting, startRouter } from "./systems/switchyard.ts";

export interface Grown {
  readonly kind: string;
  readonly amount: number;
  readonly perSecond: Spread;
  /** The router's processor time per run: the figure that varies least while others use the machine. */
  readonly serverMs: Spread;
  readonly bytesPerSecond: Spread | null;
}

interface Kind {
  readonly name: string;
  readonly amounts: readonly number[];
  readonly setting: (amount: number) => Omit<Setting, "host">;
}

export type GrowthSize = "quick" | "full";

function kinds(size: GrowthSize): Kind[] {
  const full = size === "full";
  return [
    {
      name: "registered workflows",
      amounts: full ? [1, 100, 10_000] : [1, 1_000],
      setting: (amount) => ({ workflows: amount - 1 }),
    },
    {
      name: "stored events",
      amounts: full ? [0, 100_000, 1_000_000] : [0, 100_000],
      setting: (amount) => ({ stored: amount }),
    },
    {
      name: "connected hosts of one workflow",
      amounts: full ? [1, 100, 5_000] : [1, 500],
      setting: (amount) => ({ hosts: amount }),
    },
    {
      name: "connected hosts, each of its own workflow",
      amounts: full ? [1, 100, 5_000] : [],
      setting: (amount) => ({ hosts: amount, spread: true }),
    },
    {
      name: "bytes of payload",
      amounts: full ? [100, 10_000, 500_000] : [10_000],
      setting: (amount) => ({ payloadBytes: amount }),
    },
  ];
}

/** Limit for the payloads of a round, all together. */
const PAYLOADS_MAX_BYTES = 100_000_000;

export async function growth(
  size: GrowthSize,
  effort: Pick<Effort, "rounds" | "events" | "warmUp" | "connections">,
  progress: (text: string) => void,
): Promise<Grown[]> {
  const all: Grown[] = [];
  for (const { name, amounts, setting } of kinds(size)) {
    const figures = new Map(amounts.map((amount) => [amount, new Rounds<"perSecond" | "serverMs">()]));
    for (let round = 1; round <= effort.rounds; round++) {
      for (const [amount, rounds] of figures) {
        progress(`growth, round ${round} of ${effort.rounds}: ${amount} ${name}`);
        const settings = setting(amount);
        const most = Math.floor(PAYLOADS_MAX_BYTES / (settings.payloadBytes || 1));
        await withRunning(
          (directory) => startRouter(directory, { ...settings, host: "thin-host.ts" }),
          async (running) => {
            const driver = new Driver(running, effort.connections);
            await driver.saturate(Math.min(effort.warmUp, most));
            const { perSecond, serverMs } = await driver.saturate(Math.min(effort.events, most));
            rounds.add({ perSecond, serverMs });
            driver.close();
          },
        );
      }
    }
    for (const [amount, rounds] of figures) {
      const [perSecond, serverMs] = [rounds.spread("perSecond"), rounds.spread("serverMs")];
      if (perSecond === null || serverMs === null) continue;
      all.push({
        kind: name,
        amount,
        perSecond,
        serverMs,
        bytesPerSecond: setting(amount).payloadBytes === undefined ? null : scaled(perSecond, amount),
      });
    }
  }
  return all;
}

function scaled({ median, least, most }: Spread, factor: number): Spread {
  return { median: median * factor, least: least * factor, most: most * factor };
}
