// The router's processor profile: `npm run bench -- --profile` loads it with a thin host and prints the functions with
// the most samples, with each one's share of all time. A browser's tools can open the whole profile.
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WebSocket } from "ws";
import { freePort } from "../scripts/local/listen.ts";
import { Load } from "./load.ts";
import type { System } from "./system.ts";

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const SHOWN = 45;

/** Prints the profile of this many events, each sent as soon as an earlier one is acknowledged. */
export async function profileSystem(system: System, events: number, file: string | undefined): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "switchyard-profile-"));
  const port = await freePort(0);
  process.env.INSPECTOR = `127.0.0.1:${port}`;
  const running = await system.start(directory);
  const load = new Load(running.url, 32, (n) => running.request(n));
  const round = async (first: number) => {
    const handled = running.handled?.(first, events);
    await load.asFastAsPossible(first, events);
    await handled;
  };
  await round(0);
  const targets = (await (await fetch(`http://127.0.0.1:${port}/json`)).json()) as { webSocketDebuggerUrl: string }[];
  const inspector = new WebSocket(targets[0]?.webSocketDebuggerUrl ?? "");
  await once(inspector, "open");
  let calls = 0;
  const call = async (method: string, params: object = {}) => {
    const id = ++calls;
    inspector.send(JSON.stringify({ id, method, params }));
    for (;;) {
      const [data] = await once(inspector, "message");
      const message = JSON.parse(String(data)) as { id?: number; result?: { profile: Profile } };
      if (message.id === id) return message.result;
    }
  };
  await call("Profiler.enable");
  await call("Profiler.setSamplingInterval", { interval: 200 });
  await call("Profiler.start");
  await round(events);
  const stopped = await call("Profiler.stop");
  if (stopped) {
    if (file) await writeFile(file, JSON.stringify(stopped.profile));
    print(stopped.profile);
  }
  inspector.close();
  load.close();
  await running.stop();
  await rm(directory, { recursive: true, force: true });
}

function print({ nodes, samples, timeDeltas }: Profile): void {
  const names = new Map(
    nodes.map(({ id, callFrame }) => [id, `${callFrame.functionName || "(anonymous)"} :${callFrame.lineNumber + 1}`]),
  );
  const self = new Map<string, number>();
  let all = 0;
  samples.forEach((sample, i) => {
    const name = names.get(sample) ?? "?";
    const time = timeDeltas[i] ?? 0;
    self.set(name, (self.get(name) ?? 0) + time);
    all += time;
  });
  const sorted = [...self].sort(([, a], [, b]) => b - a).slice(0, SHOWN);
  for (const [name, time] of sorted) console.log(`${((100 * time) / all).toFixed(1).padStart(5)} %  ${name}`);
  console.log(`${(all / 1e3).toFixed(0)} ms in all; a line number is one of the built script.`);
}
