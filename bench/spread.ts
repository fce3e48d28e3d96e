// `npm run bench -- --spread`: simulates one environment spread over several objects by the hash of the event's id,
// with each host connected to one of them. Supports docs/scale.md.
//
// The simulation runs by events in time: an object does its work one piece after the other, like a Durable Object;
// hosts take 100 runs at a time. Random numbers are seeded, so that the output is the same every time.

/** Work of an object for one completed run: an event, three calls of the host, and acknowledgements. */
const REQUESTS_PER_RUN = 7;
/** Cloudflare's soft limit for one object. */
const OBJECT_PER_SECOND = 1_000;
const HOST_MAX_RUNNING = 100;
const SECONDS = 60;
/** Not counted: hosts are idle at first, and runs take up to 12 s. */
const WARM_UP_SECONDS = 20;

interface Setting {
  readonly objects: number;
  readonly hosts: number;
  /** Events per second. */
  readonly rate: number;
  readonly runMs: number;
  /** Assignment of a new connection to an object. */
  readonly placement: "in turn" | "at random";
  /** Billed and limited calls per completed run: fewer with batched frames. */
  readonly requestsPerRun: number;
}

interface Outcome {
  readonly handler50: number;
  readonly handler99: number;
  readonly completedPerSecond: number;
  /** Runs whose object had no host at all. */
  readonly stranded: number;
  /** Load of the busiest object, relative to the mean. */
  readonly busiest: number;
}

/** mulberry32. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A run is offered once its object has accepted the event and one of its hosts has room. */
export function simulate(setting: Setting, seed = 1): Outcome {
  const { objects, hosts, rate, runMs, placement, requestsPerRun } = setting;
  const random = randomNumbers(seed);
  const serviceMs = (1000 / OBJECT_PER_SECOND) * requestsPerRun;
  const connected = new Array<number>(objects).fill(0);
  for (let host = 0; host < hosts; host++) {
    const object = placement === "in turn" ? host % objects : Math.floor(random() * objects);
    connected[object] = (connected[object] ?? 0) + 1;
  }
  const work = new Array<number>(objects).fill(0);
  const freeAt = new Array<number>(objects).fill(0);
  /** Times at which each place for a run at the object's hosts becomes free. */
  const slots = connected.map((count) => new Float64Array(count * HOST_MAX_RUNNING));
  const turn = new Array<number>(objects).fill(0);
  const waits: number[] = [];
  let [stranded, completed, counted] = [0, 0, 0];
  for (let now = 0; now < SECONDS * 1000; now += (-Math.log(1 - random()) * 1000) / rate) {
    const object = Math.floor(random() * objects);
    work[object] = (work[object] ?? 0) + 1;
    const taken = Math.max(now, freeAt[object] ?? 0) + serviceMs;
    freeAt[object] = taken;
    const isCounted = now >= WARM_UP_SECONDS * 1000;
    if (isCounted) counted++;
    const own = slots[object];
    if (!own || own.length === 0) {
      if (isCounted) stranded++;
      continue;
    }
    // All runs take about as long, so the slot that was taken first is free first.
    const slot = turn[object] ?? 0;
    turn[object] = (slot + 1) % own.length;
    const offered = Math.max(taken, own[slot] ?? 0);
    const ends = offered + runMs * (0.5 + random());
    own[slot] = ends;
    if (ends >= WARM_UP_SECONDS * 1000 && ends < SECONDS * 1000) completed++;
    if (isCounted) waits.push(offered - now);
  }
  waits.sort((a, b) => a - b);
  const at = (part: number) => waits[Math.min(waits.length - 1, Math.floor(part * waits.length))] ?? Number.NaN;
  return {
    handler50: at(0.5),
    handler99: at(0.99),
    completedPerSecond: completed / (SECONDS - WARM_UP_SECONDS),
    stranded: stranded / counted,
    busiest: (Math.max(...work) * objects) / work.reduce((a, b) => a + b, 0),
  };
}

function print(title: string, settings: readonly Setting[]): void {
  console.log(`\n${title}\n`);
  console.log(
    "| objects | hosts | placed | events a second | run takes | completed a second | wait p50 | wait p99 | without a host | busiest |",
  );
  console.log("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
  for (const setting of settings) {
    const { objects, hosts, placement, rate, runMs } = setting;
    const outcome = simulate(setting);
    const cells = [
      objects,
      hosts,
      placement,
      rate,
      `${runMs} ms`,
      outcome.completedPerSecond.toFixed(0),
      `${outcome.handler50.toFixed(0)} ms`,
      `${outcome.handler99.toFixed(0)} ms`,
      `${(outcome.stranded * 100).toFixed(1)} %`,
      outcome.busiest.toFixed(2),
    ];
    console.log(`| ${cells.join(" | ")} |`);
  }
}

const usual = { runMs: 200, placement: "in turn", requestsPerRun: REQUESTS_PER_RUN } as const;
print(
  "One object by the published limit, at 60 %, 90 % and 110 % of what it takes (143 runs a second).",
  [86, 129, 157].map((rate) => ({ ...usual, objects: 1, hosts: 1, rate })),
);
print(
  "More objects, each at 70 %: what is taken grows with them.",
  [1, 2, 4, 8, 16, 32].map((objects) => ({ ...usual, objects, hosts: 2 * objects, rate: 100 * objects })),
);
print(
  "Eight objects at 70 %: where hosts connect decides whether every object has one.",
  (["in turn", "at random"] as const).flatMap((placement) =>
    [8, 16, 32, 64].map((hosts) => ({ ...usual, placement, objects: 8, hosts, rate: 800 })),
  ),
);
print(
  "Eight objects, runs of 8 s, 800 a second: 6,400 runs at once, in 100 slots a host.",
  (["in turn", "at random"] as const).flatMap((placement) =>
    [64, 72, 96, 128].map((hosts) => ({ ...usual, runMs: 8_000, placement, objects: 8, hosts, rate: 800 })),
  ),
);
print(
  "With many frames in one, a run is two requests: an object takes 500 runs a second.",
  [1, 4, 16].map((objects) => ({ ...usual, requestsPerRun: 2, objects, hosts: 2 * objects, rate: 350 * objects })),
);
