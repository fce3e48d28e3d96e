import { describe, expect, it } from "vitest";
import { HOST_MAX_HELD } from "../../../shared/kernel/limits.ts";
import { packHeld, packHost, unpackHeld, unpackHost } from "./attachment.ts";
import type { HeldRun, Host } from "./host.ts";
import { FakeSocket, offeredRun, WIRE } from "./hosts.fixture.ts";

describe("the packed form of held runs", () => {
  const base = { id: 5_000_000_000_000, connectedAt: 1_790_000_000_000 };
  const held = (more: Partial<HeldRun>): HeldRun =>
    offeredRun(base.id + 17, { offeredAt: base.connectedAt + 250, ...more });

  it.each<[string, HeldRun]>([
    ["keeps an offer that was not answered", held({})],
    ["keeps an offer that was taken", held({ taken: true })],
    ["keeps a start", held({ taken: true, startedAt: base.connectedAt + 300 })],
    ["keeps a start at the moment of connecting", held({ taken: true, startedAt: base.connectedAt })],
    ["keeps a start that is written down", held({ taken: true, written: true, startedAt: base.connectedAt + 1 })],
    ["keeps a later attempt after losses", held({ attempt: 4, lostInARow: 3 })],
    ["keeps a run older than the host", { ...held({}), run: base.id - 900_000 }],
    [
      "keeps times before the host connected",
      held({ offeredAt: base.connectedAt - 9_999, startedAt: base.connectedAt - 1 }),
    ],
    ["keeps a year", held({ startedAt: base.connectedAt + 366 * 86_400_000 })],
  ])("%s", (_name, run) => {
    expect(unpackHeld(packHeld([run], base), base)).toEqual([run]);
  });

  it("keeps the order of several runs", () => {
    const runs = [3, 1, 2].map((number) => held({ attempt: number }));
    expect(unpackHeld(packHeld(runs, base), base)).toEqual(runs);
  });

  it("turns no runs into empty text", () => {
    expect(packHeld([], base)).toBe("");
    expect(unpackHeld("", base)).toEqual([]);
  });

  it("leaves room for the rest of the attachment with as many runs as a host may hold", () => {
    const day = 86_400_000;
    const runs = Array.from({ length: HOST_MAX_HELD }, (_, index) => ({
      ...held({ attempt: 100, taken: true, written: true, lostInARow: 4 }),
      run: base.id + day * 1_000 + index,
      offeredAt: base.connectedAt + day,
      startedAt: base.connectedAt + day,
    }));
    expect(packHeld(runs, base).length).toBeLessThan(14 * 1024);
  });
});

describe("the attachment of a host", () => {
  const host: Host = {
    socket: new FakeSocket(),
    wire: WIRE,
    id: 7,
    keyId: "key_1",
    secretVersion: 2,
    origin: "https://router.test",
    connectedAt: 1_000,
    registration: { workflow: 3, version: 4, process: "p", differs: ["filter"] },
    standing: "silent",
    heardAt: 2_000,
    probedAt: 3_000,
    refusedFrames: 5,
    held: new Map([[9, offeredRun(9, { taken: true })]]),
  };
  const search = { watermark: 8, sleepersSought: true, postponed: false };

  it("keeps all but the socket and its wire", () => {
    const { socket: _socket, wire: _wire, held, ...rest } = host;
    expect(unpackHost(structuredClone(packHost(host, search)))).toEqual({
      host: rest,
      held: [...held.values()],
      search,
    });
  });

  it("keeps a host that has not registered", () => {
    const unregistered = { ...host, registration: null, held: new Map() };
    expect(unpackHost(packHost(unregistered, null))).toMatchObject({ host: { registration: null }, search: null });
  });

  it.each<[string, unknown]>([
    ["refuses nothing at all", null],
    ["refuses another version", { ...packHost(host, search), v: 2 }],
    ["refuses an unknown standing", { ...packHost(host, search), standing: "idle" }],
    ["refuses a missing field", { ...packHost(host, search), heardAt: undefined }],
  ])("%s", (_name, attachment) => {
    expect(unpackHost(attachment)).toBe(null);
  });
});
