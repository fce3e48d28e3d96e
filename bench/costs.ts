// The bill of one event that becomes one completed run, counted in the running script itself, all objects included.
import { PRICES, PRICES_AS_OF, type Priced } from "./prices.ts";
import { Driver, withRunning } from "./round.ts";
import { startRouter } from "./systems/switchyard.ts";

export interface Costs {
  /** Counted completed runs, and their rate. */
  readonly runs: number;
  readonly perSecond: number;
  readonly pricesAsOf: string;
  /** Per completed run. */
  readonly counted: Readonly<Record<Priced, number>>;
  readonly statements: number;
  readonly dollarsPerMillion: Readonly<Record<Priced | "all", number>>;
}

type Counts = Readonly<Record<Exclude<Priced, "processorMs" | "objectSeconds"> | "alarms", number>>;

/** `perSecond` decides the share of an object's time per run, and the number of runs that share a commit. */
export async function countCosts(runs: number, perSecond: number): Promise<Costs> {
  return withRunning(
    (directory) => startRouter(directory, { host: "thin-host.ts", script: "counted.js" }),
    async (running) => {
      const driver = new Driver(running, 32);
      const counts = async () => (await (await fetch(`${running.url}/bench/counts`)).json()) as Counts;
      await driver.atRate(perSecond, 2);
      await counts();
      const [statements, { processorMs }] = [await running.statements(), await running.server()];
      await driver.atRate(perSecond, runs / perSecond);
      const { alarms, ...all } = await counts();
      const used = (await running.server()).processorMs - processorMs;
      const counted = {
        ...all,
        objectRequests: all.objectRequests + alarms,
        // All of workerd's time: more than the bill for the Worker alone.
        processorMs: used,
        objectSeconds: runs / perSecond,
      };
      driver.close();
      const each = mapped(counted, (amount) => amount / runs);
      const dollars = mapped(each, (amount, name) => amount * PRICES[name].dollars * 1e6);
      const sum = Object.values(dollars).reduce((a, b) => a + b, 0);
      return {
        runs,
        perSecond,
        pricesAsOf: PRICES_AS_OF,
        counted: each,
        statements: ((await running.statements()) - statements) / runs,
        dollarsPerMillion: { ...dollars, all: sum },
      };
    },
  );
}

function mapped(
  counts: Readonly<Record<Priced, number>>,
  change: (amount: number, name: Priced) => number,
): Record<Priced, number> {
  const entries = (Object.entries(counts) as [Priced, number][]).map(([name, amount]) => [name, change(amount, name)]);
  return Object.fromEntries(entries) as Record<Priced, number>;
}
