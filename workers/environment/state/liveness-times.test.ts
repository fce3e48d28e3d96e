import { describe, expect, it } from "vitest";
import { HOST_SILENT_MS, OFFER_ANSWERED_WITHIN_MS, PROBE_ANSWERED_WITHIN_MS } from "../../../shared/kernel/limits.ts";
import type { HeldRun } from "./host.ts";
import { FakeSocket, offeredRun, WIRE } from "./hosts.fixture.ts";
import { Hosts } from "./hosts.ts";
import { checkHost, nextLivenessTime } from "./liveness-times.ts";

const HEARD_AT = 10_000;

interface Scene {
  readonly held?: readonly HeldRun[];
  readonly probedAt?: number;
}

function hostsOf(scenes: readonly Scene[]): Hosts {
  const hosts = new Hosts(WIRE, () => ({ watermark: 0, sleepersSought: true, postponed: false }));
  for (const [index, { held = [], probedAt }] of scenes.entries()) {
    const details = { id: index + 1, keyId: "key_1", secretVersion: 1, origin: "o", connectedAt: HEARD_AT };
    const host = hosts.add(new FakeSocket(), details);
    hosts.register(host, { workflow: 1, version: 1, process: `p${index}`, differs: [] });
    for (const run of held) hosts.held.hold(host, run);
    if (probedAt !== undefined) hosts.noteProbe(host, probedAt);
  }
  return hosts;
}

const taken = (run: number): HeldRun => offeredRun(run, { taken: true, offeredAt: HEARD_AT });

describe("the next check of hosts", () => {
  it.each<[string, Scene[], number | null]>([
    ["never comes without hosts", [], null],
    ["never comes for a host that holds nothing", [{}], null],
    [
      "comes when an offer runs out",
      [{ held: [offeredRun(1, { offeredAt: HEARD_AT + 5 })] }],
      HEARD_AT + 5 + OFFER_ANSWERED_WITHIN_MS,
    ],
    [
      "comes for the oldest offer first",
      [{ held: [offeredRun(1, { offeredAt: HEARD_AT + 5 })] }, { held: [offeredRun(2, { offeredAt: HEARD_AT + 7 })] }],
      HEARD_AT + 5 + OFFER_ANSWERED_WITHIN_MS,
    ],
    ["comes when a host that took a run falls silent", [{ held: [taken(1)] }], HEARD_AT + HOST_SILENT_MS],
    [
      "comes when a probe runs out",
      [{ held: [taken(1)], probedAt: HEARD_AT + 9 }],
      HEARD_AT + 9 + PROBE_ANSWERED_WITHIN_MS,
    ],
    ["ignores the probe of a host that holds nothing", [{ probedAt: HEARD_AT }], null],
    [
      "takes the earliest of several hosts",
      [{ held: [taken(1)] }, { held: [taken(2)], probedAt: HEARD_AT + 1 }],
      HEARD_AT + 1 + PROBE_ANSWERED_WITHIN_MS,
    ],
    [
      "takes the earlier of an offer and a silence",
      [{ held: [taken(1), offeredRun(2, { offeredAt: HEARD_AT + 20_000 })] }],
      HEARD_AT + 20_000 + OFFER_ANSWERED_WITHIN_MS,
    ],
  ])("%s", (_name, scenes, expected) => {
    expect(nextLivenessTime({ hosts: hostsOf(scenes) })).toBe(expected);
  });
});

describe("the check of a host", () => {
  it.each<[string, HeldRun | null, number | null, number, "probe" | "give up" | null]>([
    ["leaves a host alone that holds nothing", null, null, HEARD_AT * 100, null],
    ["leaves an offer without an answer alone", offeredRun(1), null, HEARD_AT * 100, null],
    ["waits until the host is silent", taken(1), null, HEARD_AT + HOST_SILENT_MS - 1, null],
    ["probes a silent host", taken(1), null, HEARD_AT + HOST_SILENT_MS, "probe"],
    ["waits for the probe", taken(1), HEARD_AT, HEARD_AT + PROBE_ANSWERED_WITHIN_MS - 1, null],
    ["gives up a host without an acknowledgement", taken(1), HEARD_AT, HEARD_AT + PROBE_ANSWERED_WITHIN_MS, "give up"],
    ["leaves a probed host alone that holds nothing by then", null, HEARD_AT, HEARD_AT * 100, null],
  ])("%s", (_name, run, probedAt, now, expected) => {
    const held = new Map(run ? [[run.run, run]] : []);
    expect(checkHost({ held, heardAt: HEARD_AT, probedAt }, now)).toBe(expected);
  });
});
