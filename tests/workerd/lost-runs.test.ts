// Attempts that are lost with their hosts: the waits between them, and the end of the run.
import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, expect, it } from "vitest";
import { LOST_ATTEMPT_WAITS_MS } from "../../shared/kernel/limits.ts";
import { advance, EVENT, hostOf, lose, startNext } from "./durable-support.ts";
import { advanceClock, makeEnvironment, resetClock, send } from "./support.ts";

afterEach(resetClock);

it.each<[string, boolean]>([
  ["while the object stays", false],
  ["after a hibernation", true],
])(
  "waits 0, 1, 5 and 15 s between lost attempts, and offers the run when its time has come: %s",
  async (_when, hibernates) => {
    const live = await makeEnvironment("live");
    await hostOf(live).then((host) => lose(live, host));
    await send(live.key, EVENT);
    for (const wait of LOST_ATTEMPT_WAITS_MS) {
      const host = await hostOf(live);
      await startNext(host);
      await lose(live, host);
      if (wait < 15_000) await advance(live, wait);
    }
    const next = await hostOf(live);
    await next.settled();
    expect(next.offersWaiting()).toBe(0);
    if (hibernates) await evictDurableObject(live.stub, { webSockets: "hibernate" });
    advanceClock(15_000);
    await runDurableObjectAlarm(live.stub);
    expect((await startNext(next)).attempt).toBe(4);
  },
);
