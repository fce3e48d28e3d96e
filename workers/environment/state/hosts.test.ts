import { describe, expect, it } from "vitest";
import { HOST_MAX_HELD, HOST_MAX_RUNNING, SUSPECT_AFTER_LOST } from "../../../shared/kernel/limits.ts";
import { type HeldRun, type Host, hasRoomToWake, NO_HOST } from "./host.ts";
import { FakeSocket, offeredRun, WIRE } from "./hosts.fixture.ts";
import { Hosts } from "./hosts.ts";

const WORKFLOW = 1;
const SEARCH = { watermark: 3, sleepersSought: true, postponed: false };
let lastRun = 1_000;

function connect(hosts: Hosts, id: number, workflow: number | null = WORKFLOW): Host {
  const details = { id, keyId: "key_1", secretVersion: 1, origin: "https://router.test", connectedAt: 0 };
  const host = hosts.add(new FakeSocket(), details);
  if (workflow !== null) hosts.register(host, { workflow, version: 1, process: `p${id}`, differs: [] });
  return host;
}

function hold(hosts: Hosts, host: Host, count: number, more: Partial<HeldRun> = {}): number[] {
  return Array.from({ length: count }, () => {
    lastRun += 1;
    hosts.held.hold(host, offeredRun(lastRun, more));
    return lastRun;
  });
}

describe("a search for the least busy host", () => {
  it.each<[string, (hosts: Hosts) => Host | undefined]>([
    ["answers none without hosts", () => undefined],
    [
      "leaves out a host of another workflow",
      (hosts) => {
        connect(hosts, 1, 2);
        return undefined;
      },
    ],
    [
      "leaves out a host that has not registered",
      (hosts) => {
        connect(hosts, 1, null);
        return undefined;
      },
    ],
    [
      "picks the host with the fewest runs",
      (hosts) => {
        const counts = [3, 1, 2].map((count, index) => {
          const host = connect(hosts, index + 1);
          hold(hosts, host, count);
          return host;
        });
        return counts[1];
      },
    ],
    [
      "counts a run only until it ends",
      (hosts) => {
        const [first, second] = [connect(hosts, 1), connect(hosts, 2)];
        const [run = 0] = hold(hosts, first, 1);
        hold(hosts, second, 1);
        hosts.held.release(run);
        return first;
      },
    ],
    [
      "answers none while all hosts are full",
      (hosts) => {
        hold(hosts, connect(hosts, 1), HOST_MAX_RUNNING);
        return undefined;
      },
    ],
    [
      "picks a host with room for one more run",
      (hosts) => {
        const host = connect(hosts, 1);
        hold(hosts, host, HOST_MAX_RUNNING - 1);
        return host;
      },
    ],
    [
      "leaves out a host that was removed",
      (hosts) => {
        const [gone, stays] = [connect(hosts, 1), connect(hosts, 2)];
        hold(hosts, stays, 1);
        hosts.remove(gone);
        return stays;
      },
    ],
  ])("%s", (_name, arrange) => {
    const hosts = new Hosts(WIRE, () => SEARCH);
    const expected = arrange(hosts);
    expect(hosts.leastBusy(WORKFLOW)).toBe(expected);
  });

  it("gives a host one suspect at a time", () => {
    const hosts = new Hosts(WIRE, () => SEARCH);
    const [first, second] = [connect(hosts, 1), connect(hosts, 2)];
    const [suspect = 0] = hold(hosts, first, 1, { lostInARow: SUSPECT_AFTER_LOST });
    hold(hosts, second, 2);
    expect(hosts.leastBusy(WORKFLOW)).toBe(first);
    expect(hosts.leastBusy(WORKFLOW, true)).toBe(second);
    hold(hosts, second, 1, { lostInARow: SUSPECT_AFTER_LOST });
    expect(hosts.leastBusy(WORKFLOW, true)).toBe(undefined);
    hosts.held.release(suspect);
    expect(hosts.leastBusy(WORKFLOW, true)).toBe(first);
  });
});

describe("a registry of hosts", () => {
  it("answers the runs of a removed host, oldest first", () => {
    const hosts = new Hosts(WIRE, () => SEARCH);
    const host = connect(hosts, 1);
    for (const run of [30, 10, 20]) hosts.held.hold(host, offeredRun(run));
    expect(hosts.remove(host).map(({ run }) => run)).toEqual([10, 20, 30]);
    expect([...hosts.all()]).toEqual([]);
    expect(hosts.held.holder(10)).toBe(undefined);
    expect(hosts.byId(1)).toBe(undefined);
  });

  it("names the hosts without room for one more woken run", () => {
    const hosts = new Hosts(WIRE, () => SEARCH);
    const host = connect(hosts, 7);
    const [run = 0] = hold(hosts, host, HOST_MAX_HELD);
    expect([hosts.held.fullHosts(), hasRoomToWake(host)]).toEqual([[7], false]);
    hosts.held.release(run);
    expect([hosts.held.fullHosts(), hasRoomToWake(host)]).toEqual([[], true]);
  });

  it("closes a socket whose attachment cannot be read, and takes up the others", () => {
    const hosts = new Hosts(WIRE, () => SEARCH);
    const [good, bad] = [new FakeSocket(), new FakeSocket()];
    const before = new Hosts(WIRE, () => SEARCH);
    const details = { id: 4, keyId: "key_1", secretVersion: 1, origin: "https://router.test", connectedAt: 0 };
    before.register(before.add(good, details), { workflow: WORKFLOW, version: 1, process: "p", differs: [] });
    before.save();
    bad.serializeAttachment({ v: 99 });
    const resumed: unknown[] = [];
    hosts.restore([bad, good], (...of) => resumed.push(of));
    expect(bad.closed?.code).toBe(1011);
    expect([...hosts.all()].map(({ id }) => id)).toEqual([4]);
    expect(resumed).toEqual([[WORKFLOW, SEARCH]]);
  });

  it("writes only the attachments of hosts that changed", () => {
    const hosts = new Hosts(WIRE, () => SEARCH);
    const [first, second] = [new FakeSocket(), new FakeSocket()].map((socket, index) => {
      const details = { id: index + 1, keyId: "key_1", secretVersion: 1, origin: "o", connectedAt: 0 };
      return { socket, host: hosts.add(socket, details) };
    });
    hosts.save();
    if (second) hosts.held.hold(second.host, offeredRun(9));
    hosts.save();
    expect([first?.socket.writes, second?.socket.writes]).toEqual([1, 2]);
  });
});

describe("a change of a host", () => {
  const START = 500;
  const verbs: [string, (hosts: Hosts, host: Host) => void, Partial<Host>][] = [
    ["register", (hosts, host) => hosts.register(host, { workflow: 2, version: 3, process: "q", differs: [] }), {}],
    [
      "noteDifferences",
      (hosts, host) => hosts.noteDifferences(host, ["filter"]),
      { registration: { workflow: WORKFLOW, version: 1, process: "p1", differs: ["filter"] } },
    ],
    ["noteProbe", (hosts, host) => hosts.noteProbe(host, 77), { probedAt: 77 }],
    ["silence", (hosts, host) => hosts.silence(host), { standing: "silent" }],
    ["giveUp", (hosts, host) => hosts.giveUp(host), { standing: "silent", id: NO_HOST }],
    ["supersede", (hosts, host) => hosts.supersede(host), { standing: "superseded", id: NO_HOST }],
    ["countRefused", (hosts, host) => hosts.countRefused(host), { refusedFrames: 1 }],
    ["noteSearch", (hosts) => hosts.noteSearch(WORKFLOW), {}],
    ["held.hold", (hosts, host) => hosts.held.hold(host, offeredRun(5_000)), {}],
    ["held.release", (hosts) => hosts.held.release(START), {}],
    ["held.noteTaken", (hosts) => hosts.held.noteTaken(START), {}],
    ["held.noteStart", (hosts) => hosts.held.noteStart(START, 9), {}],
    ["held.noteWritten", (hosts) => hosts.held.noteWritten(START), {}],
    ["held.noteProgress", (hosts) => hosts.held.noteProgress(START), {}],
  ];

  it.each(verbs)("survives a hibernation: %s", (_name, change, expected) => {
    const hosts = new Hosts(WIRE, () => SEARCH);
    const host = connect(hosts, 1);
    hosts.held.hold(host, offeredRun(START, { lostInARow: 1 }));
    hosts.save();
    change(hosts, host);
    hosts.save();
    expect(host).toMatchObject(expected);

    const restored = new Hosts(WIRE, () => SEARCH);
    restored.restore([host.socket], () => {});
    expect([...restored.all()]).toEqual([host]);
    expect(restored.byId(1) === undefined).toBe(hosts.byId(1) === undefined);
  });

  it.each(verbs)("leaves a removed host alone: %s", (_name, change) => {
    const hosts = new Hosts(WIRE, () => SEARCH);
    const host = connect(hosts, 1);
    hosts.remove(host);
    const before = { ...host };
    change(hosts, host);
    hosts.save();
    expect(host).toEqual(before);
    expect((host.socket as FakeSocket).writes).toBe(0);
    expect(hosts.held.holder(5_000)).toBe(undefined);
  });
});

describe("a frame of a host", () => {
  const frame = (arrange: (hosts: Hosts, host: Host) => void) => {
    const hosts = new Hosts(WIRE, () => SEARCH);
    const host = connect(hosts, 1);
    arrange(hosts, host);
    hosts.save();
    const { writes } = host.socket as FakeSocket;
    hosts.recordHeartbeat(host, 99, () => 123);
    hosts.save();
    return { hosts, host, saved: (host.socket as FakeSocket).writes > writes };
  };

  it.each<[string, (hosts: Hosts, host: Host) => void, Partial<Host>, boolean]>([
    ["changes the time in memory only", () => {}, { heardAt: 99, standing: "serving", id: 1 }, false],
    ["acknowledges a probe", (hosts, host) => hosts.noteProbe(host, 5), { probedAt: null, id: 1 }, true],
    ["makes a silent host serve again", (hosts, host) => hosts.silence(host), { standing: "serving", id: 1 }, true],
    ["makes a given up host a new one", (hosts, host) => hosts.giveUp(host), { standing: "serving", id: 123 }, true],
    ["leaves a superseded host so", (hosts, host) => hosts.supersede(host), { standing: "superseded", id: 0 }, false],
  ])("%s", (_name, arrange, expected, saves) => {
    const { host, saved } = frame(arrange);
    expect(host).toMatchObject(expected);
    expect(saved).toBe(saves);
  });

  it("finds a given up host by its new id only", () => {
    const { hosts, host } = frame((of, host) => of.giveUp(host));
    expect([hosts.byId(1), hosts.byId(123)]).toEqual([undefined, host]);
  });
});
