// Deliveries while everything fails at random: calls that never reach an environment, answers that are lost after the
// environment stored the event, an environment that is away for a while, a source that is lost. Seeded. `npm test` runs a
// short form; `npm run chaos:webhooks` the full one, which also compares how long a healthy environment waits for its copy.
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import type { Delivery, DeliveryOutcome } from "../../shared/contracts/environment.ts";
import { seeded } from "./seeded.ts";
import { advanceClock, bindings, eventually, resetClock } from "./support.ts";
import { deliver, eventIds, fireAlarm, insideSource, makeSource, type TestSource } from "./webhook-support.ts";

const settings = bindings as unknown as { readonly CHAOS_DELIVERIES: string; readonly CHAOS_SEED: string };
const DELIVERIES = Number(settings.CHAOS_DELIVERIES);
const SEED = Number(settings.CHAOS_SEED);
const LONG = DELIVERIES >= 10_000;
const AT_ONCE = 50;

afterEach(resetClock);

type Give = (delivery: Delivery) => Promise<DeliveryOutcome>;

/** Puts `around` between the source and its environments, until the source is evicted. */
function intercept(
  source: TestSource,
  around: (environmentId: string, give: Give, delivery: Delivery) => Promise<DeliveryOutcome>,
) {
  return runInDurableObject(source.stub, (instance) => {
    const { env } = instance as unknown as { env: typeof bindings };
    const real = env.ENVIRONMENT;
    const getByName = (id: string) => ({
      receiveDelivery: (delivery: Delivery) => around(id, (one) => real.getByName(id).receiveDelivery(one), delivery),
    });
    Object.defineProperty(instance, "env", { value: { ...env, ENVIRONMENT: { getByName } }, configurable: true });
  });
}

const pending = (source: TestSource) =>
  insideSource(
    source,
    ({ storage }) =>
      storage.sql.exec<{ n: number }>("SELECT count(*) AS n FROM deliveries WHERE status = 'pending'").one().n,
  );

it(`${DELIVERIES} deliveries reach each environment exactly once each, whatever fails (seed ${SEED})`, {
  timeout: 1_800_000,
}, async () => {
  const random = seeded(SEED);
  const source = await makeSource();
  let away: string | null = null;
  const counts = { unreached: 0, answerLost: 0, failed: 0, away: 0, duplicates: 0, evictions: 0 };
  const chaos = () =>
    intercept(source, async (environment, give, delivery) => {
      const chance = random();
      if (environment === away) {
        counts.away++;
        throw new Error("away");
      }
      if (chance < 0.1) {
        counts.unreached++;
        throw new Error("never reached");
      }
      if (chance < 0.15) {
        counts.failed++;
        return { outcome: "failed" };
      }
      const outcome = await give(delivery);
      if (chance < 0.25) {
        counts.answerLost++;
        throw new Error("the answer was lost");
      }
      return outcome;
    });
  await chaos();

  const ids: string[] = [];
  for (let from = 0; from < DELIVERIES; from += AT_ONCE) {
    const part = from / DELIVERIES;
    away = part >= 0.3 && part < 0.5 ? source.live.id : null;
    const batch = Array.from({ length: Math.min(AT_ONCE, DELIVERIES - from) }, async (_, index) => {
      const send = () =>
        deliver(source, JSON.stringify({ n: from + index }), { "idempotency-key": `d${from + index}` });
      const twice = random() < 0.1;
      if (twice) counts.duplicates++;
      const answers = await Promise.all(twice ? [send(), send()] : [send()]);
      const given = await Promise.all(answers.map(async (answer) => ((await answer.json()) as { id: string }).id));
      expect([new Set(given).size, answers.map(({ status }) => status)]).toEqual([1, answers.map(() => 200)]);
      return given[0] ?? "";
    });
    ids.push(...(await Promise.all(batch)));
    if (random() < 0.2) {
      counts.evictions++;
      await evictDurableObject(source.stub);
      await chaos();
    }
    advanceClock(5_000);
    await fireAlarm(source);
  }
  away = null;
  for (let rounds = 0; (await pending(source)) > 0; rounds++) {
    expect(rounds).toBeLessThan(5_000);
    advanceClock(60_000);
    await fireAlarm(source);
  }
  // A chaos in which nothing fails proves nothing.
  for (const [what, count] of Object.entries(counts)) expect([what, count > 0]).toEqual([what, true]);
  expect(new Set(ids).size).toBe(DELIVERIES);
  for (const environment of [source.live, source.development]) {
    const events = await eventIds(environment);
    expect(events.length).toBe(DELIVERIES);
    expect(new Set(events)).toEqual(new Set(ids));
  }
  const { n } = await insideSource(source, ({ storage }) =>
    storage.sql.exec<{ n: number }>("SELECT count(*) AS n FROM deliveries WHERE status = 'delivered'").one(),
  );
  expect(n).toBe(DELIVERIES);
  if (LONG) console.log(JSON.stringify(counts));
});

describe("an environment that fails", () => {
  it("does not delay the other's copy, even when it never answers", async () => {
    const source = await makeSource();
    await intercept(source, (environment, give, delivery) =>
      environment === source.live.id ? new Promise<never>(() => {}) : give(delivery),
    );
    const ids: string[] = [];
    for (let i = 0; i < 20; i++) ids.push(((await (await deliver(source, `${i}`)).json()) as { id: string }).id);
    // Long before the 30 seconds that an environment has to answer.
    await eventually(async () => expect(new Set(await eventIds(source.development))).toEqual(new Set(ids)));
    expect(await eventIds(source.live)).toEqual([]);
  });

  it.runIf(LONG)("leaves the other's p99 within 1.5 times its normal, by medians", { timeout: 600_000 }, async () => {
    const p99 = async (fails: boolean): Promise<number> => {
      const source = await makeSource();
      const arrived = new Map<string, number>();
      await intercept(source, async (environment, give, delivery) => {
        if (environment === source.live.id && fails) throw new Error("fails");
        const outcome = await give(delivery);
        if (environment === source.development.id) arrived.set(delivery.event.payload, Date.now());
        return outcome;
      });
      const sent = new Map<string, number>();
      // The next ones when these have arrived: what is measured is the way, not a queue.
      for (let from = 0; from < 1_000; from += 10) {
        const batch = Array.from({ length: 10 }, async (_, index) => {
          const payload = String(from + index);
          sent.set(payload, Date.now());
          await deliver(source, payload);
        });
        await Promise.all(batch);
        await eventually(() => expect(arrived.size).toBe(from + 10));
      }
      const waits = [...sent].map(([payload, at]) => (arrived.get(payload) ?? Number.NaN) - at).sort((a, b) => a - b);
      return waits[990] ?? Number.NaN;
    };
    await p99(false);
    const normal: number[] = [];
    const beside: number[] = [];
    for (let round = 0; round < 7; round++) {
      normal.push(await p99(false));
      beside.push(await p99(true));
    }
    const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
    console.log(JSON.stringify({ normal: median(normal), beside: median(beside), all: { normal, beside } }));
    expect(median(beside)).toBeLessThanOrEqual(median(normal) * 1.5);
  });
});
