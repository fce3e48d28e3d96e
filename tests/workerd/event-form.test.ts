// The form of a posted event: refusals, their status, and answers that echo nothing of the event.
import { describe, expect, it } from "vitest";
import { makeEnvironment, post, request, rows, withKey } from "./support.ts";

/** Part of every refused body; no answer may contain it. */
const SECRET = "s3cr3t";

interface Refusal {
  readonly error: string;
  readonly fields?: readonly { readonly path: string; readonly message: string }[];
}

async function refusal(
  body: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; refused: Refusal }> {
  const live = await makeEnvironment("live");
  const response =
    body instanceof Uint8Array
      ? await request("/api/v1/events", withKey(live.key, { method: "POST", body, headers }))
      : await post(live.key, "/api/v1/events", body, headers);
  const text = await response.text();
  expect(text).not.toContain(SECRET);
  for (const [, value] of response.headers) expect(value).not.toContain(SECRET);
  expect(await rows(live, "SELECT id FROM events")).toEqual([]);
  return { status: response.status, refused: JSON.parse(text) as Refusal };
}

const bytes = (...values: number[]) => new Uint8Array(values);
const utf8 = (text: string) => new TextEncoder().encode(text);

describe("a body that is not JSON", () => {
  it.each([
    ["nothing", ""],
    ["a bare word", SECRET],
    ["JSON that breaks off", `{"id":"${SECRET}","event":{"name":"a"`],
    ["JSON with something behind it", `{"event":{"name":"${SECRET}","payload":1}} ${SECRET}`],
    ["a form", `id=${SECRET}&name=a`],
    ["single quotes", `{'event':'${SECRET}'}`],
    ["a number that is none", `{"event":{"name":"${SECRET}","payload":NaN}}`],
  ])("gets 400: %s", async (_what, body) => {
    expect(await refusal(body)).toMatchObject({ status: 400, refused: { error: expect.stringContaining("not JSON") } });
  });

  it.each([
    ["a byte that never occurs", bytes(...utf8(`{"event":{"name":"${SECRET}`), 0xff, ...utf8('","payload":1}}'))],
    [
      "a character that breaks off",
      bytes(...utf8(`{"event":{"name":"${SECRET}`), 0xe2, 0x82, ...utf8('","payload":1}}')),
    ],
    ["a body that ends inside a character", bytes(...utf8(`"${SECRET}`), 0xf0, 0x9f)],
    ["an overlong spelling", bytes(...utf8(`{"event":{"name":"${SECRET}`), 0xc0, 0xaf, ...utf8('","payload":1}}'))],
    [
      "an encoded surrogate",
      bytes(...utf8(`{"event":{"name":"${SECRET}`), 0xed, 0xa0, 0x80, ...utf8('","payload":1}}')),
    ],
    ["UTF-16", bytes(0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00)],
  ])("gets 400 for bad UTF-8: %s", async (_what, body) => {
    expect(await refusal(body)).toMatchObject({ status: 400, refused: { error: expect.stringContaining("UTF-8") } });
  });

  it("passes after a byte order mark", async () => {
    const live = await makeEnvironment("live");
    const body = bytes(0xef, 0xbb, 0xbf, ...utf8('{"event":{"name":"a","payload":"é€😀"}}'));
    expect((await request("/api/v1/events", withKey(live.key, { method: "POST", body }))).status).toBe(200);
    expect(await rows(live, "SELECT payload FROM events")).toEqual([{ payload: '"é€😀"' }]);
  });
});

describe("a field of the wrong form", () => {
  const event = (more: Record<string, unknown>) => ({ event: { name: "a", payload: SECRET, ...more } });
  const delay = (value: unknown) => event({ delay: value });

  it.each<[string, unknown, string]>([
    ["a string", `"${SECRET}"`, "(body)"],
    ["a number", "5", "(body)"],
    ["null", "null", "(body)"],
    ["no event", { [SECRET]: 1 }, "event"],
    ["an event of another type", { event: SECRET }, "event"],
    ["an event that is an array", { event: [SECRET] }, "event"],
    ["an id of another type", { id: 5, ...event({}) }, "id"],
    ["an id that is null", { id: null, ...event({}) }, "id"],
    ["an empty id", { id: "", ...event({}) }, "id"],
    ["an id of 257 characters", { id: SECRET.padEnd(257, "."), ...event({}) }, "id"],
    ["no name", { event: { payload: SECRET } }, "event.name"],
    ["an empty name", event({ name: "" }), "event.name"],
    ["a name of another type", event({ name: [SECRET] }), "event.name"],
    ["a name of 257 characters", event({ name: SECRET.padEnd(257, ".") }), "event.name"],
    ["no payload", { event: { name: SECRET } }, "event.payload"],
    ["a timestamp of another type", event({ timestamp: 1_700_000_000 }), "event.timestamp"],
    ["a timestamp that is no date", event({ timestamp: SECRET }), "event.timestamp"],
    ["a timestamp without a time", event({ timestamp: "2026-01-01" }), "event.timestamp"],
    ["a timestamp without a zone", event({ timestamp: "2026-01-01T00:00:00" }), "event.timestamp"],
    ["a timestamp on a day that is none", event({ timestamp: "2026-02-30T00:00:00Z" }), "event.timestamp"],
    ["a delay of another type", delay(SECRET), "event.delay"],
    ["a delay that is null", delay(null), "event.delay"],
    ["an empty delay", delay({}), "event.delay"],
    ["a delay in a unit that is none", delay({ [SECRET]: 1 }), "event.delay"],
    ["a delay in two units", delay({ seconds: 1, minutes: 1 }), "event.delay"],
    ["a negative delay", delay({ seconds: -1 }), "event.delay"],
    ["a delay that is not whole", delay({ minutes: 0.5 }), "event.delay"],
    ["a delay as text", delay({ seconds: "5" }), "event.delay"],
    ["a delay of more than a year", delay({ days: 367 }), "event.delay"],
    ["a delay until no date", delay({ until: SECRET }), "event.delay"],
    ["a delay until a date without a zone", delay({ until: "2026-01-01T00:00:00" }), "event.delay"],
  ])("gets 422 and its name: %s", async (_what, body, path) => {
    const { status, refused } = await refusal(body);
    expect(status).toBe(422);
    expect(refused.error).toContain(path);
    const paths = refused.fields?.map((field) => field.path) ?? [];
    expect(paths.some((named) => named === path || named.startsWith(`${path}.`))).toBe(true);
    for (const { message } of refused.fields ?? []) expect(message).not.toBe("");
  });

  it("gets named beside the other wrong fields", async () => {
    const { refused } = await refusal({ id: "", event: { name: "", timestamp: SECRET } });
    const paths = refused.fields?.map(({ path }) => path);
    expect(paths).toEqual(["id", "event.name", "event.payload", "event.timestamp"]);
  });

  it("rejects an Idempotency-Key that differs from the id", async () => {
    const headers = { "idempotency-key": `${SECRET}2` };
    expect(await refusal({ id: `${SECRET}1`, ...event({}) }, headers)).toMatchObject({ status: 422 });
  });
});

it("echoes nothing of a conflict or of an event that is too large", async () => {
  const live = await makeEnvironment("live");
  await post(live.key, "/api/v1/events", { id: SECRET, event: { name: "a", payload: 1 } });
  const conflict = await post(live.key, "/api/v1/events", { id: SECRET, event: { name: SECRET, payload: SECRET } });
  expect([conflict.status, (await conflict.text()).includes(SECRET)]).toEqual([409, false]);
  const large = await post(live.key, "/api/v1/events", {
    id: SECRET,
    event: { name: SECRET, payload: SECRET.repeat(200_000) },
  });
  expect([large.status, (await large.text()).includes(SECRET)]).toEqual([413, false]);
});

describe("payloads of every JSON type", () => {
  it.each([
    ["null"],
    ["false"],
    ["0"],
    ['""'],
    ["[]"],
    ["{}"],
    ['{"__proto__":{"a":1},"constructor":1}'],
    ['"\\u0000"'],
    ['"\\ud800"'],
  ])("accepts %s and keeps it unchanged", async (payload) => {
    const live = await makeEnvironment("live");
    const response = await post(live.key, "/api/v1/events", `{"event":{"name":"a","payload":${payload}}}`);
    expect(response.status).toBe(200);
    const [stored] = await rows<{ payload: string }>(live, "SELECT payload FROM events");
    expect(stored?.payload).toBe(JSON.stringify(JSON.parse(payload)));
  });
});

it.each(["PUT", "PATCH", "DELETE", "OPTIONS"])(
  "answers %s /api/v1/events with 405 and the allowed methods",
  async (method) => {
    const live = await makeEnvironment("live");
    const response = await request("/api/v1/events", withKey(live.key, { method }));
    expect([response.status, response.headers.get("allow")]).toEqual([405, "POST, GET"]);
  },
);
