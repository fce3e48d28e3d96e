import { describe, expect, it } from "vitest";
import { HOST_MAX_HELD, HOST_MAX_RUNNING, SUSPECT_AFTER_LOST } from "../../../shared/kernel/limits.ts";
import { FakeSocket, offeredRun } from "./hosts.fixture.ts";
import { type HeldRun, type Host, Hosts, hasRoomToWake, packHeld, unpackHeld } from "./hosts.ts";

const WORKFLOW = 1;
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
    hosts.hold(host, offeredRun(lastRun, more));
    return lastRun;
  });
}

describe("the packed form of held runs", () => {
  const origin = { id: 5_000_000_000_000, connectedAt: 1_790_000_000_000 };
  const held = (more: Partial<HeldRun>): HeldRun =>
    offeredRun(origin.id + 17, { offeredAt: origin.connectedAt + 250, ...more });

  it.each<[string, HeldRun]>([
    ["keeps an offer that was not answered", held({})],
    ["keeps an offer that was taken", held({ taken: true })],
    ["keeps a start", held({ taken: true, startedAt: origin.connectedAt + 300 })],
    ["keeps a start at the moment of connecting", held({ taken: true, startedAt: origin.connectedAt })],
    ["keeps a start that is written down", held({ taken: true, written: true, startedAt: origin.connectedAt + 1 })],
    ["keeps a later attempt after losses", held({ attempt: 4, lostInARow: 3 })],
    ["keeps a run older than the host", { ...held({}), run: origin.id - 900_000 }],
    [
      "keeps times before the host connected",
      held({ offeredAt: origin.connectedAt - 9_999, startedAt: origin.connectedAt - 1 }),
    ],
    ["keeps a year", held({ startedAt: origin.connectedAt + 366 * 86_400_000 })],
  ])("%s", (_name, run) => {
    expect(unpackHeld(packHeld([run], origin), origin)).toEqual([run]);
  });

  it("keeps the order of several runs", () => {
    const runs = [3, 1, 2].map((number) => held({ attempt: number }));
    expect(unpackHeld(packHeld(runs, origin), origin)).toEqual(runs);
  });

  it("turns no runs into empty text", () => {
    expect(packHeld([], origin)).toBe("");
    expect(unpackHeld("", origin)).toEqual([]);
  });

  it("leaves room for the rest of the attachment with as many runs as a host may hold", () => {
    const day = 86_400_000;
    const runs = Array.from({ length: HOST_MAX_HELD }, (_, index) => ({
      ...held({ attempt: 100, taken: true, written: true, lostInARow: 4 }),
      run: origin.id + day * 1_000 + index,
      offeredAt: origin.connectedAt + day,
      startedAt: origin.connectedAt + day,
    }));
    expect(packHeld(runs, origin).length).toBeLessThan(14 * 1024);
  });
});

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
        hosts.release(run);
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
    const hosts = new Hosts();
    const expected = arrange(hosts);
    expect(hosts.leastBusy(WORKFLOW)).toBe(expected);
  });

  it("gives a host one suspect at a time", () => {
    const hosts = new Hosts();
    const [first, second] = [connect(hosts, 1), connect(hosts, 2)];
    const [suspect = 0] = hold(hosts, first, 1, { lostInARow: SUSPECT_AFTER_LOST });
    hold(hosts, second, 2);
    expect(hosts.leastBusy(WORKFLOW)).toBe(first);
    expect(hosts.leastBusy(WORKFLOW, true)).toBe(second);
    hold(hosts, second, 1, { lostInARow: SUSPECT_AFTER_LOST });
    expect(hosts.leastBusy(WORKFLOW, true)).toBe(undefined);
    hosts.release(suspect);
    expect(hosts.leastBusy(WORKFLOW, true)).toBe(first);
  });
});

describe("a registry of hosts", () => {
  it("answers the runs of a removed host, oldest first", () => {
    const hosts = new Hosts();
    const host = connect(hosts, 1);
    for (const run of [30, 10, 20]) hosts.hold(host, offeredRun(run));
    expect(hosts.remove(host).map(({ run }) => run)).toEqual([10, 20, 30]);
    expect([...hosts.all()]).toEqual([]);
    expect(hosts.holder(10)).toBe(undefined);
    expect(hosts.byId(1)).toBe(undefined);
  });

  it("names the hosts without room for one more woken run", () => {
    const hosts = new Hosts();
    const host = connect(hosts, 7);
    const [run = 0] = hold(hosts, host, HOST_MAX_HELD);
    expect([hosts.full(), hasRoomToWake(host)]).toEqual([[7], false]);
    hosts.release(run);
    expect([hosts.full(), hasRoomToWake(host)]).toEqual([[], true]);
  });

  it("closes a socket whose attachment cannot be read, and takes up the others", () => {
    const hosts = new Hosts();
    const [good, bad] = [new FakeSocket(), new FakeSocket()];
    const before = new Hosts();
    const details = { id: 4, keyId: "key_1", secretVersion: 1, origin: "https://router.test", connectedAt: 0 };
    before.register(before.add(good, details), { workflow: WORKFLOW, version: 1, process: "p", differs: [] });
    const search = { watermark: 3, sleepersSought: true, postponed: false };
    before.save(() => search);
    bad.serializeAttachment({ v: 99 });
    const resumed: unknown[] = [];
    hosts.restore([bad, good], (...of) => resumed.push(of));
    expect(bad.closed?.code).toBe(1011);
    expect([...hosts.all()].map(({ id }) => id)).toEqual([4]);
    expect(resumed).toEqual([[WORKFLOW, search]]);
  });

  it("writes only the attachments of hosts that changed", () => {
    const hosts = new Hosts();
    const search = () => ({ watermark: 0, sleepersSought: false, postponed: false });
    const [first, second] = [new FakeSocket(), new FakeSocket()].map((socket, index) => {
      const details = { id: index + 1, keyId: "key_1", secretVersion: 1, origin: "o", connectedAt: 0 };
      return { socket, host: hosts.add(socket, details) };
    });
    hosts.save(search);
    if (second) hosts.hold(second.host, offeredRun(9));
    hosts.save(search);
    expect([first?.socket.writes, second?.socket.writes]).toEqual([1, 2]);
  });
});
