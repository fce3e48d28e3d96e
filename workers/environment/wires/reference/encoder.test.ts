import { describe, expect, it } from "vitest";
import type { Host } from "../../state/host.ts";
import type { StepResult } from "../../state/host-wire.ts";
import { FakeSocket, offeredRun as heldRun } from "../../state/hosts.fixture.ts";
import { greetingFrame, offeredRun, referenceWire } from "./encoder.ts";

const scope = { environment: "live", workflow: "starter", organizationId: "org_1", apiKey: "trigger_live_x" };
const META = { environment: "live", workflowId: "starter", organizationId: "org_1", apiKey: "trigger_live_x" };

/** A frame as the reference client reads it. */
function read(frame: string): { id: string; data: Record<string, unknown> } {
  const { id, data } = JSON.parse(frame) as { id: string; data: string };
  return { id, data: JSON.parse(data) };
}

describe("the frames of the reference client", () => {
  it("greet a new connection", () => {
    expect(greetingFrame({ id: 5 })).toBe('{"type":"MESSAGE","id":"a.5","data":"AUTHENTICATED"}');
  });

  it("offer a run with the stored JSON as it is", () => {
    const frame = referenceWire.offer({
      run: 62,
      attempt: 2,
      runId: "run_x",
      payload: '{"n":1.0}',
      context: null,
      isTest: true,
      origin: "https://router.test",
      scope,
    });
    expect(JSON.parse(frame).data).toContain('"trigger":{"input":{"n":1.0},"context":{}}');
    expect(read(frame)).toEqual({
      id: "offer.000000010.2",
      data: {
        id: "offer.000000010.2",
        kind: "CALL",
        methodName: "TRIGGER_WORKFLOW",
        data: {
          id: "run_x",
          trigger: { input: { n: 1 }, context: {} },
          meta: { ...META, isTest: true, appOrigin: "https://router.test", attempt: 2 },
        },
      },
    });
  });

  it.each<[string, Pick<StepResult, "kind" | "failed" | "result">, string, object]>([
    ["resolve a delay", { kind: "DURABLE_DELAY", failed: false, result: null }, "RESOLVE_DELAY", {}],
    [
      "resolve a fetch",
      { kind: "FETCH_REQUEST", failed: false, result: '{"status":200}' },
      "RESOLVE_FETCH_REQUEST",
      { output: { status: 200 } },
    ],
    [
      "reject a fetch",
      { kind: "FETCH_REQUEST", failed: true, result: '{"name":"E"}' },
      "REJECT_FETCH_REQUEST",
      { error: { name: "E" } },
    ],
    ["resolve a read item", { kind: "KV_GET", failed: false, result: "null" }, "RESOLVE_KV_GET", { output: null }],
    [
      "reject a request",
      { kind: "REQUEST", failed: true, result: '{"name":"E"}' },
      "REJECT_REQUEST",
      { error: { name: "E" } },
    ],
  ])("%s", (_name, step, methodName, value) => {
    const frame = referenceWire.result({ number: 9, runId: "run_x", key: "k", scope, ...step });
    expect(read(frame)).toEqual({
      id: "answer.9",
      data: {
        id: "answer.9",
        kind: "CALL",
        methodName,
        data: { id: "run_x:k", key: "k", ...value, meta: { ...META, runId: "run_x" } },
      },
    });
  });

  it("probe with a response to a call that was never made", () => {
    expect(read(referenceWire.probe(7))).toEqual({
      id: "probe.7",
      data: { id: "probe.7", kind: "RESPONSE", methodName: "", data: true },
    });
  });
});

describe("the answer to an offer", () => {
  const held = heldRun(62, { attempt: 2 });
  const host: Host = {
    socket: new FakeSocket(),
    wire: referenceWire,
    id: 1,
    keyId: "key_1",
    secretVersion: 1,
    origin: "https://router.test",
    connectedAt: 0,
    registration: null,
    standing: "serving",
    heardAt: 0,
    probedAt: null,
    refusedFrames: 0,
    held: new Map([[62, held]]),
  };

  it.each<[string, string, boolean]>([
    ["names the held run", "offer.000000010.2", true],
    ["names no run by an earlier attempt", "offer.000000010.1", false],
    ["names no run that the host does not hold", "offer.000000011.2", false],
    ["names no run without a number", "offer", false],
    ["names no run by a number of another form", "offer.%%%.2", false],
    ["names no run by the answer to another call", "probe.000000010.2", false],
  ])("%s", (_name, id, found) => {
    expect(offeredRun(host, id)).toBe(found ? held : undefined);
  });
});
