// An idle environment costs nothing: no row, no alarm, and it can hibernate with its hosts.
import { evictDurableObject } from "cloudflare:test";
import { afterEach, expect, it } from "vitest";
import { advanceClock, inside, makeEnvironment, resetClock, rows, send, TestHost } from "./support.ts";

afterEach(resetClock);

it("keeps an idle environment with 20 hosts free of rows and alarms, and serves the hosts after a hibernation", async () => {
  const live = await makeEnvironment("live");
  const hosts = await Promise.all(
    Array.from({ length: 20 }, (_, i) => TestHost.listening(live.key, `workflow-${i}`, `event-${i}`)),
  );
  const changes = () => rows(live, "SELECT total_changes() AS n");
  const before = await changes();
  for (let minutes = 0; minutes < 10; minutes++) {
    advanceClock(60_000);
    await live.stub.clockMoved();
  }
  expect(await changes()).toEqual(before);
  expect(await inside(live.stub, ({ storage }) => storage.getAlarm())).toBe(null);

  await evictDurableObject(live.stub, { webSockets: "hibernate" });
  expect(await inside(live.stub, (state) => state.getWebSockets().length)).toBe(20);
  expect(hosts.every(({ closed }) => closed === null)).toBe(true);
  for (const [i, host] of hosts.entries()) {
    await send(live.key, `event-${i}`);
    const { id } = await host.offer();
    await host.start(id);
    expect(await host.complete(id)).toBe(true);
  }
});
