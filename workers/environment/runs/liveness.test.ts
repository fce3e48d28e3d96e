import { describe, expect, it } from "vitest";
import { HOST_SILENT_MS, OFFER_ANSWERED_WITHIN_MS, PROBE_ANSWERED_WITHIN_MS } from "../../../shared/kernel/limits.ts";
import type { HeldRun } from "../state/host.ts";
import { FakeSocket, offeredRun, WIRE } from "../state/hosts.fixture.ts";
import { Hosts } from "../state/hosts.ts";
import { nextLivenessTime } from "./liveness.ts";

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
