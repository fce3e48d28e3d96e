// The script's size, and its cold start on workerd: from the start of the process to the first answer, beside an empty
// script.
import { gzipSync } from "node:zlib";
import { monotonicMs, type Spread, spread } from "./measure.ts";
import { deployedScript, type Script } from "./processes/script.ts";
import { serve } from "./processes/workerd.ts";
import { withRunning } from "./round.ts";

export interface StartUp {
  readonly scriptBytes: number;
  readonly compressedBytes: number;
  readonly scriptMs: Spread;
  readonly bareMs: Spread;
}

const BARE = { name: "index.js", text: "export default { fetch: () => new Response() };" };

export async function measureStartUp(times: number): Promise<StartUp> {
  const script = await deployedScript();
  const bare = { ...script, modules: [BARE], objects: {} };
  const all = Buffer.concat(script.modules.map(({ text }) => Buffer.from(text)));
  const [scriptMs, bareMs]: [number[], number[]] = [[], []];
  for (let i = 0; i < times; i++) {
    scriptMs.push(await firstAnswer(script));
    bareMs.push(await firstAnswer(bare));
  }
  return {
    scriptBytes: all.length,
    compressedBytes: gzipSync(all).length,
    scriptMs: spread(scriptMs),
    bareMs: spread(bareMs),
  };
}

function firstAnswer(script: Script): Promise<number> {
  let began = 0;
  return withRunning(
    (directory) => {
      began = monotonicMs();
      return serve({ ...script, directory, bindings: {} });
    },
    async ({ url }) => {
      await (await fetch(`${url}/healthcheck`)).text();
      return monotonicMs() - began;
    },
  );
}
