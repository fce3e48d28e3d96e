// Hostile and broken frames. Whatever a host sends, its socket stays open and works, and other hosts notice nothing.
// The router counts frames that it did not understand. A frame that a replay would only bring again ends its run with
// an error.
import { describe, expect, it } from "vitest";
import { FRAME_MAX_BYTES, ROW_MAX_BYTES, VALUE_MAX_BYTES } from "../../shared/kernel/limits.ts";
import {
  getJson,
  makeEnvironment,
  post,
  request,
  rows,
  send,
  type TestEnvironment,
  TestHost,
  withKey,
} from "./support.ts";

type Json = Record<string, unknown>;

interface Scene {
  readonly live: TestEnvironment;
  readonly host: TestHost;
  readonly bystander: TestHost;
  /** A run that `host` has started. */
  readonly held: string;
  /** A run that `bystander` has started. */
  readonly foreign: string;
}

async function scene(): Promise<Scene> {
  const live = await makeEnvironment("live");
  const bystander = await TestHost.listening(live.key, "bystander", "other");
  const host = await TestHost.listening(live.key, "starter", "paid");
  await Promise.all([send(live.key, "paid"), send(live.key, "other")]);
  const [held, foreign] = [(await host.offer()).id, (await bystander.offer()).id];
  expect([await host.start(held), await bystander.start(foreign)]).toEqual([true, true]);
  return { live, host, bystander, held, foreign };
}

interface ShownRun {
  readonly status: string;
  readonly error?: { readonly name: string; readonly message: string };
  readonly tasks: readonly { readonly message?: string }[];
}

const run = ({ live }: Scene, id: string): Promise<ShownRun> => getJson(live.key, `/api/v1/runs/${id}`);

async function refusedFrames({ live }: Scene): Promise<number[]> {
  const { data } = await getJson<{ data: { hosts: { refusedFrames: number }[] }[] }>(live.key, "/api/v1/workflows");
  return data.flatMap(({ hosts }) => hosts.map((host) => host.refusedFrames));
}

/** Both hosts are connected as before, and runs go through both of them. */
async function expectUndisturbed({ live, host, bystander }: Scene): Promise<void> {
  await Promise.all([send(live.key, "paid"), send(live.key, "other")]);
  for (const each of [host, bystander]) {
    const { id } = await each.offer();
    expect([await each.start(id), await each.complete(id, "after")]).toEqual([true, true]);
    expect(each.closed).toBe(null);
  }
}

const message = (data: unknown, id: unknown = "f") => JSON.stringify({ type: "MESSAGE", id, data });
/** The members in the order of the reference client: the method comes last. */
const call = (methodName: unknown, data: unknown, id: unknown = "c") =>
  message(JSON.stringify({ id, kind: "CALL", data, methodName }));
const TOO_LONG_AN_ID = "i".repeat(10_000_000);

describe("a malformed frame", () => {
  it.each<[string, string | ArrayBuffer]>([
    ["bytes", new Uint8Array([0, 1, 2, 255]).buffer],
    ["no bytes", new ArrayBuffer(0)],
    ["text as bytes", new TextEncoder().encode(call("START_WORKFLOW_RUN", {})).buffer as ArrayBuffer],
    ["nothing", ""],
    ["not JSON", "hello"],
    ["JSON that breaks off", '{"type":"MESSAGE","id":"1"'],
    ["a bare AUTHENTICATED", '"AUTHENTICATED"'],
    ["null", "null"],
    ["a number", "5"],
    ["an array", `[${call("START_WORKFLOW_RUN", {})}]`],
    ["an empty object", "{}"],
    ["no type", JSON.stringify({ id: "1", data: "{}" })],
    ["an unknown type", JSON.stringify({ type: "CLOSE", id: "1", data: "{}" })],
    ["a type from the prototype", JSON.stringify({ type: "constructor", id: "1", data: "{}" })],
    ["no id", JSON.stringify({ type: "MESSAGE", data: "{}" })],
    ["an id that is a number", message("{}", 5)],
    ["an id that is an object", message("{}", { toString: 1 })],
    ["an id of 257 characters", message("{}", "i".repeat(257))],
    ["an id of 10 MB", message("{}", TOO_LONG_AN_ID)],
    ["no data", JSON.stringify({ type: "MESSAGE", id: "1" })],
    ["data that is not text", message({ id: "c", kind: "CALL", methodName: "START_WORKFLOW_RUN", data: {} })],
    ["nested 100,000 deep", `${"[".repeat(100_000)}${"]".repeat(100_000)}`],
    ["an acknowledgement without an id", JSON.stringify({ id: 5, type: "ACK" })],
  ])("gets ignored and counted: %s", async (_what, frame) => {
    const stage = await scene();
    stage.host.socket.send(frame);
    await stage.host.settled();
    expect(await refusedFrames(stage)).toEqual([0, 1]);
    expect(await run(stage, stage.held)).toMatchObject({ status: "RUNNING" });
    await expectUndisturbed(stage);
  });
});

describe("a malformed message", () => {
  it.each<[string, unknown]>([
    ["not JSON", "hello"],
    ["nothing", ""],
    ["null", "null"],
    ["a list", "[]"],
    ["text", '"AUTHENTICATED"'],
    ["no id", JSON.stringify({ kind: "CALL", methodName: "START_WORKFLOW_RUN", data: {} })],
    ["an id that is a number", JSON.stringify({ id: 5, kind: "CALL", methodName: "START_WORKFLOW_RUN", data: {} })],
    [
      "an id of 257 characters",
      JSON.stringify({ id: "i".repeat(257), kind: "CALL", methodName: "START_WORKFLOW_RUN", data: {} }),
    ],
    ["no kind", JSON.stringify({ id: "c", methodName: "START_WORKFLOW_RUN", data: {} })],
    ["an unknown kind", JSON.stringify({ id: "c", kind: "NOTIFY", methodName: "START_WORKFLOW_RUN", data: {} })],
    ["no method", JSON.stringify({ id: "c", kind: "CALL", data: {} })],
    ["a method that is an object", JSON.stringify({ id: "c", kind: "CALL", methodName: {}, data: {} })],
  ])("gets acknowledged and counted, without an answer: %s", async (_what, data) => {
    const stage = await scene();
    stage.host.socket.send(message(data, "odd"));
    await stage.host.acknowledgement("odd");
    await stage.host.settled();
    expect(stage.host.received).toEqual([]);
    expect(await refusedFrames(stage)).toEqual([0, 1]);
    await expectUndisturbed(stage);
  });
});

describe("a call that fails", () => {
  it.each<[string, string, (stage: Scene) => unknown, number]>([
    ["an unknown method", "FORMAT_DISK", () => ({}), 1],
    ["an unknown method and no data", "FORMAT_DISK", () => undefined, 1],
    ["an empty method", "", () => ({}), 1],
    ["__proto__ as the method", "__proto__", () => ({}), 1],
    ["constructor as the method", "constructor", () => ({}), 1],
    ["toString as the method", "toString", () => ({ runId: 5 }), 1],
    ["a method of a server", "TRIGGER_WORKFLOW", () => ({ id: "x" }), 1],
    ["a start without a run", "START_WORKFLOW_RUN", () => ({}), 1],
    ["a start that is null", "START_WORKFLOW_RUN", () => null, 1],
    ["a start with a run that is a number", "START_WORKFLOW_RUN", () => ({ runId: 5 }), 1],
    ["a start with a run's id that is too long", "START_WORKFLOW_RUN", () => ({ runId: "r".repeat(257) }), 1],
    ["a start that is a list", "START_WORKFLOW_RUN", ({ held }) => [held], 1],
    ["a completion without a run", "COMPLETE_WORKFLOW_RUN", () => ({ output: "1" }), 1],
    ["an error without a run", "SEND_WORKFLOW_ERROR", () => ({ error: {} }), 1],
    ["a log without a run", "SEND_LOG", () => ({ key: "k", log: { message: "m", level: "INFO" } }), 1],
    ["a start of no run", "START_WORKFLOW_RUN", () => ({ runId: "run_none" }), 0],
    [
      "a completion of another host's run",
      "COMPLETE_WORKFLOW_RUN",
      ({ foreign }) => ({ runId: foreign, output: "1" }),
      0,
    ],
    ["an error of another host's run", "SEND_WORKFLOW_ERROR", ({ foreign }) => ({ runId: foreign, error: {} }), 0],
    [
      "a log of another host's run",
      "SEND_LOG",
      ({ foreign }) => ({ runId: foreign, key: "k", log: { message: "m", level: "INFO" } }),
      0,
    ],
    ["an unknown method about another host's run", "FORMAT_DISK", ({ foreign }) => ({ runId: foreign }), 1],
    [
      "a malformed completion of another host's run",
      "COMPLETE_WORKFLOW_RUN",
      ({ foreign }) => ({ runId: foreign, output: 5 }),
      1,
    ],
  ])("gets false, and is counted if it is malformed: %s", async (_what, method, data, counted) => {
    const stage = await scene();
    expect(await stage.host.call(method, data(stage))).toBe(false);
    expect(await refusedFrames(stage)).toEqual([0, counted]);
    for (const id of [stage.held, stage.foreign]) expect(await run(stage, id)).toMatchObject({ status: "RUNNING" });
    expect(await rows(stage.live, "SELECT * FROM steps")).toEqual([]);
    await expectUndisturbed(stage);
  });

  it("gets false for a run of another environment and leaves that run untouched", async () => {
    const [here, there] = [await scene(), await scene()];
    expect(await here.host.complete(there.held, 1)).toBe(false);
    expect(await here.host.call("FORMAT_DISK", { runId: there.held })).toBe(false);
    expect(await run(there, there.held)).toMatchObject({ status: "RUNNING" });
    expect((await request(`/api/v1/runs/${there.held}`, withKey(here.live.key))).status).toBe(404);
    expect(await there.host.complete(there.held, 2)).toBe(true);
  });

  it("gets false for a run that has ended and leaves its end as it was", async () => {
    const stage = await scene();
    expect(await stage.host.complete(stage.held, "first")).toBe(true);
    const ended = await run(stage, stage.held);
    expect(await stage.host.complete(stage.held, "second")).toBe(false);
    expect(await stage.host.start(stage.held)).toBe(false);
    expect(await stage.host.call("SEND_WORKFLOW_ERROR", { runId: stage.held, error: { name: "Late" } })).toBe(false);
    expect(
      await stage.host.call("SEND_LOG", { runId: stage.held, key: "k", log: { message: "late", level: "INFO" } }),
    ).toBe(false);
    expect(await stage.host.call("FORMAT_DISK", { runId: stage.held })).toBe(false);
    stage.host.socket.send(call("COMPLETE_WORKFLOW_RUN", { runId: stage.held, output: "x".repeat(FRAME_MAX_BYTES) }));
    await stage.host.settled();
    expect(await run(stage, stage.held)).toEqual(ended);
    await expectUndisturbed(stage);
  });

  it("gets false before the host has registered", async () => {
    const live = await makeEnvironment("live");
    const host = await TestHost.connect(live.key);
    for (const method of [
      "START_WORKFLOW_RUN",
      "COMPLETE_WORKFLOW_RUN",
      "SEND_WORKFLOW_ERROR",
      "SEND_LOG",
      "FORMAT_DISK",
    ]) {
      expect(await host.call(method, { runId: "run_none" })).toBe(false);
    }
    expect(host.closed).toBe(null);
  });
});

describe("a response or acknowledgement", () => {
  it.each<[string, (stage: Scene) => Json]>([
    ["an unknown call", () => ({ id: "none", data: false })],
    ["an empty id", () => ({ id: "", data: false })],
    ["an offer that never was", () => ({ id: "offer.000000001.0", data: false })],
    ["an offer with a number too large", () => ({ id: "offer.zzzzzzzzz.0", data: false })],
    ["an offer without a number", () => ({ id: "offer", data: false })],
    ["an offer with odd parts", () => ({ id: "offer.__proto__.constructor", data: false })],
    ["an offer of another attempt", () => ({ id: "offer.ATTEMPT", data: false })],
    ["a call of its own", () => ({ id: "c", data: { type: "success" } })],
  ])("changes nothing when nobody made the call: %s", async (_what, response) => {
    const stage = await scene();
    const { id, data } = response(stage);
    // The number of the held run makes up the last nine characters of its id.
    const answered = String(id).replace("ATTEMPT", `${stage.held.slice(-9)}.7`);
    stage.host.send({ id: answered, kind: "RESPONSE", methodName: "TRIGGER_WORKFLOW", data });
    stage.host.socket.send(JSON.stringify({ type: "ACK", id: "none" }));
    stage.host.socket.send(JSON.stringify({ id: "none", type: "ACK", more: 1 }));
    await stage.host.settled();
    expect(await run(stage, stage.held)).toMatchObject({ status: "RUNNING" });
    await expectUndisturbed(stage);
  });

  it("ends a held run when it answers the run's offer with false", async () => {
    const live = await makeEnvironment("live");
    const host = await TestHost.listening(live.key, "starter", "paid");
    await send(live.key, "paid");
    const offer = await host.until(({ methodName }) => methodName === "TRIGGER_WORKFLOW");
    host.send({ id: offer.id, kind: "RESPONSE", methodName: "TRIGGER_WORKFLOW", data: false });
    await host.settled();
    expect(await getJson(live.key, `/api/v1/runs/${offer.data.id}`)).toMatchObject({ status: "ERROR", attempts: 0 });
  });
});

describe("a frame that a replay would bring again", () => {
  const log = (more: Json) => ({ key: "k", log: { message: "m", level: "INFO", ...more } });

  it.each<[string, string, Json, string, string]>([
    ["an unknown method", "FORMAT_DISK", {}, "ProtocolError", "FORMAT_DISK"],
    ["__proto__ as the method", "__proto__", {}, "ProtocolError", "__proto__"],
    ["a very long method", "M".repeat(100_000), {}, "ProtocolError", "MMM"],
    [
      "an output that is not text",
      "COMPLETE_WORKFLOW_RUN",
      { output: { a: 1 } },
      "ProtocolError",
      "COMPLETE_WORKFLOW_RUN",
    ],
    ["a log without a message", "SEND_LOG", log({ message: undefined }), "ProtocolError", "SEND_LOG"],
    ["a log of another level", "SEND_LOG", log({ level: "LOUD" }), "ProtocolError", "SEND_LOG"],
    ["a log without a log", "SEND_LOG", { key: "k" }, "ProtocolError", "SEND_LOG"],
    ["properties that are not text", "SEND_LOG", log({ properties: { a: 1 } }), "ProtocolError", "SEND_LOG"],
    ["an output that is not JSON", "COMPLETE_WORKFLOW_RUN", { output: "{" }, "OutputNotJson", "JSON"],
    ["an empty output", "COMPLETE_WORKFLOW_RUN", { output: "" }, "OutputNotJson", "JSON"],
    [
      "an output of 1 MiB and a byte",
      "COMPLETE_WORKFLOW_RUN",
      { output: `"${"x".repeat(VALUE_MAX_BYTES - 1)}"` },
      "OutputTooLarge",
      String(VALUE_MAX_BYTES),
    ],
    [
      "an output of fewer characters and more bytes",
      "COMPLETE_WORKFLOW_RUN",
      { output: `"${"€".repeat(VALUE_MAX_BYTES / 2)}"` },
      "OutputTooLarge",
      String(VALUE_MAX_BYTES),
    ],
    [
      "a log of 1 MiB and a byte",
      "SEND_LOG",
      log({ message: "x".repeat(VALUE_MAX_BYTES + 1) }),
      "LogTooLarge",
      String(VALUE_MAX_BYTES),
    ],
    [
      "a log whose properties make it too large",
      "SEND_LOG",
      log({ properties: JSON.stringify("x".repeat(VALUE_MAX_BYTES)) }),
      "LogTooLarge",
      String(VALUE_MAX_BYTES),
    ],
  ])("ends its run with an error: %s", async (_what, method, data, name, part) => {
    const stage = await scene();
    expect(await stage.host.call(method, { runId: stage.held, ...data })).toBe(false);
    const ended = await run(stage, stage.held);
    expect(ended).toMatchObject({ status: "ERROR", error: { name, message: expect.stringContaining(part) } });
    expect(ended.error?.message.length).toBeLessThan(300);
    expect(await run(stage, stage.foreign)).toMatchObject({ status: "RUNNING" });
    await expectUndisturbed(stage);
  });

  it("leaves its run alone when it is just within the limits", async () => {
    const stage = await scene();
    const message = "x".repeat(VALUE_MAX_BYTES);
    expect(
      await stage.host.call("SEND_LOG", { runId: stage.held, key: message, log: { message, level: "DEBUG" } }),
    ).toBe(true);
    const output = `"${"x".repeat(VALUE_MAX_BYTES - 2)}"`;
    expect(await stage.host.call("COMPLETE_WORKFLOW_RUN", { runId: stage.held, output })).toBe(true);
    expect(await run(stage, stage.held)).toMatchObject({
      status: "SUCCESS",
      tasks: [{ message }],
      output: JSON.parse(output),
    });
  });
});

describe("a frame of more than 8 MiB", () => {
  const completion = (runId: string, output: string) => call("COMPLETE_WORKFLOW_RUN", { runId, output }, "large");

  it("gets acknowledged, answered false and counted, and ends the held run it names", async () => {
    const stage = await scene();
    stage.host.socket.send(completion(stage.held, "x".repeat(FRAME_MAX_BYTES)));
    const answer = await stage.host.until(({ id }) => id === "large");
    expect(answer).toEqual({ id: "large", kind: "RESPONSE", methodName: "COMPLETE_WORKFLOW_RUN", data: false });
    expect(stage.host.acknowledged.has("f")).toBe(true);
    expect(await run(stage, stage.held)).toMatchObject({
      status: "ERROR",
      error: { name: "FrameTooLarge", message: expect.stringContaining(String(FRAME_MAX_BYTES)) },
    });
    expect(await refusedFrames(stage)).toEqual([0, 1]);
    await expectUndisturbed(stage);
  });

  it("counts in bytes, exactly", async () => {
    const stage = await scene();
    const log = (text: string) =>
      call("SEND_LOG", { runId: stage.held, key: "k", log: { message: text, level: "INFO" } });
    const overhead = log("").length;
    stage.host.socket.send(log("x".repeat(FRAME_MAX_BYTES - overhead)));
    await stage.host.settled();
    expect(await run(stage, stage.held)).toMatchObject({ error: { name: "LogTooLarge" } });

    const euros = await scene();
    const text = "€".repeat(Math.ceil((FRAME_MAX_BYTES + 1) / 3));
    expect(text.length).toBeLessThan(FRAME_MAX_BYTES / 2);
    euros.host.socket.send(call("SEND_LOG", { runId: euros.held, key: "k", log: { message: text, level: "INFO" } }));
    await euros.host.settled();
    expect(await run(euros, euros.held)).toMatchObject({ error: { name: "FrameTooLarge" } });
  });

  it.each<[string, (stage: Scene) => string]>([
    ["about no run", () => call("SEND_LOG", { key: "x".repeat(FRAME_MAX_BYTES) })],
    ["about a run that is none", () => completion("run_none", "x".repeat(FRAME_MAX_BYTES))],
    ["about another host's run", ({ foreign }) => completion(foreign, "x".repeat(FRAME_MAX_BYTES))],
    [
      "that names the held run only at its end",
      ({ held }) => message(JSON.stringify({ fill: "x".repeat(FRAME_MAX_BYTES), data: { runId: held } })),
    ],
    ["that is no JSON", () => "x".repeat(FRAME_MAX_BYTES + 1)],
    ["of brackets", () => "[".repeat(FRAME_MAX_BYTES + 1)],
    ["in bytes", () => "\u0000".repeat(FRAME_MAX_BYTES + 1)],
  ])("counts and ends no run: %s", async (_what, frame) => {
    const stage = await scene();
    stage.host.socket.send(frame(stage));
    await stage.host.settled();
    expect(await refusedFrames(stage)).toEqual([0, 1]);
    for (const id of [stage.held, stage.foreign]) expect(await run(stage, id)).toMatchObject({ status: "RUNNING" });
    await expectUndisturbed(stage);
  });
});

describe("data within the limits", () => {
  it.each([
    ["quotes", '"'],
    ["control characters", "\u0001"],
  ])("fits a row, or ends its run: a log of 1 MiB of %s", async (_what, character) => {
    const stage = await scene();
    const message = character.repeat(VALUE_MAX_BYTES);
    const kept = await stage.host.call("SEND_LOG", { runId: stage.held, key: "k", log: { message, level: "INFO" } });
    const { status, tasks } = await run(stage, stage.held);
    expect(kept ? tasks[0]?.message === message : status === "ERROR").toBe(true);
    const size = "coalesce(max(length(CAST(detail AS BLOB))), 0)";
    const [largest] = await rows<{ bytes: number }>(stage.live, `SELECT ${size} AS bytes FROM steps`);
    expect(largest?.bytes).toBeLessThan(ROW_MAX_BYTES);
    await expectUndisturbed(stage);
  });

  it("stays readable as a deeply nested output", async () => {
    const stage = await scene();
    await stage.host.call("COMPLETE_WORKFLOW_RUN", {
      runId: stage.held,
      output: "[".repeat(100_000) + "]".repeat(100_000),
    });
    expect((await request(`/api/v1/runs/${stage.held}`, withKey(stage.live.key))).status).toBe(200);
  });
});

it("counts a thousand broken frames, and the host still works", async () => {
  const stage = await scene();
  for (let i = 0; i < 1_000; i++)
    stage.host.socket.send(i % 2 === 0 ? "not JSON" : call("FORMAT_DISK", { i }, `c${i}`));
  await stage.host.settled();
  expect(await refusedFrames(stage)).toEqual([0, 1_000]);
  await expectUndisturbed(stage);
  expect((await post(stage.live.key, "/api/v1/events", { event: { name: "paid", payload: 1 } })).status).toBe(200);
});
