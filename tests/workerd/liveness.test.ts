// Liveness of hosts: unanswered offers, probes, and frames that a lost host may still send.
import { evictDurableObject } from "cloudflare:test";
import { afterEach, expect, it, vi } from "vitest";
import { HOST_SILENT_MS, OFFER_ANSWERED_WITHIN_MS, PROBE_ANSWERED_WITHIN_MS } from "../../shared/kernel/limits.ts";
import { advance, hostOf, MINUTE, runningRun, SECOND, shown } from "./durable-support.ts";
import {
  type EnvironmentInstance,
  eventually,
  inside,
  makeEnvironment,
  post,
  resetClock,
  send,
  type TestEnvironment,
  type TestHost,
} from "./support.ts";

afterEach(() => {
  resetClock();
  vi.restoreAllMocks();
});

/** Waits for the probe of a host, and until the router has read the acknowledgement. */
async function probed(live: TestEnvironment, host: TestHost, prompt: () => Promise<void>): Promise<void> {
  const read = await inside(live.stub, (_state, instance) => {
    let shell = Object.getPrototypeOf(instance) as EnvironmentInstance;
    while (!Object.hasOwn(shell, "webSocketMessage")) shell = Object.getPrototypeOf(shell) as EnvironmentInstance;
    return vi.spyOn(shell, "webSocketMessage");
  });
  await prompt();
  const { id } = await host.until((m) => m.kind === "RESPONSE" && m.id.startsWith("probe."));
  await eventually(() =>
    expect(read.mock.calls.map(([, frame]) => frame)).toContain(JSON.stringify({ type: "ACK", id })),
  );
}

it("keeps the runs of a host that acknowledges its probe", async () => {
  const { live, host, id } = await runningRun();
  const other = await hostOf(live);
  await probed(live, host, () => advance(live, HOST_SILENT_MS));
  await advance(live, PROBE_ANSWERED_WITHIN_MS);
  await other.settled();
  expect(other.offersWaiting()).toBe(0);
  expect(await host.complete(id)).toBe(true);
});

it("keeps the runs of a host that acknowledged its probe, even if the object hibernates right after", async () => {
  const { live, host, id } = await runningRun();
  const other = await hostOf(live);
  await evictDurableObject(live.stub, { webSockets: "hibernate" });
  await probed(live, host, () => advance(live, HOST_SILENT_MS));
  await evictDurableObject(live.stub, { webSockets: "hibernate" });
  await advance(live, PROBE_ANSWERED_WITHIN_MS);
  await other.settled();
  expect(other.offersWaiting()).toBe(0);
  expect(await host.complete(id)).toBe(true);
});

it("keeps a run timed out that timed out while its only host was silent, even if that host speaks again", async () => {
  const live = await makeEnvironment("live");
  const host = await hostOf(live, { triggerTTL: 60 });
  const {
    runs: [run],
  } = await send(live.key, "go");
  const id = run?.id ?? "";
  await host.until((m) => m.methodName === "TRIGGER_WORKFLOW");
  await advance(live, OFFER_ANSWERED_WITHIN_MS + SECOND);
  await advance(live, MINUTE);
  expect(await shown(live, id)).toMatchObject({ status: "TIMED_OUT" });
  await host.settled();
  await host.settled();
  expect(host.offersWaiting()).toBe(0);
  expect(await shown(live, id)).toMatchObject({ status: "TIMED_OUT" });
});

it("takes an offer to a long silent host for its probe: the alarm is set to its deadline, not to now", async () => {
  const live = await makeEnvironment("live");
  const host = await hostOf(live);
  const event = { name: "go", payload: 1, delay: { minutes: 1 } };
  expect((await post(live.key, "/api/v1/events", { event })).status).toBe(200);
  const alarms = await inside(live.stub, ({ storage }) => vi.spyOn(storage, "setAlarm"));
  const before = Date.now();
  await advance(live, 30 * MINUTE);
  await host.offer();
  expect(alarms.mock.calls.map(([at]) => Number(at) - before >= OFFER_ANSWERED_WITHIN_MS)).toEqual([true]);
});
