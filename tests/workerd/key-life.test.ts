// The life of keys in the object: their last use, and calls for members.
import { evictDurableObject } from "cloudflare:test";
import { afterEach, expect, test } from "vitest";
import { MEMBER } from "../../shared/contracts/environment.ts";
import { now } from "../../shared/kernel/clock.ts";
import {
  advanceClock,
  eventually,
  getJson,
  makeEnvironment,
  makeKey,
  post,
  pushKeys,
  request,
  resetClock,
  rows,
  send,
  TestHost,
  withKey,
} from "./support.ts";

const MINUTE = 60_000;
const minuteOf = (time: number) => Math.floor(time / MINUTE) * MINUTE;

afterEach(resetClock);

test("records a key's last use to the minute, one row a minute however often it is used", async () => {
  const live = await makeEnvironment("live");
  expect(await live.stub.keyUses()).toEqual({});
  for (let i = 0; i < 20; i++) await send(live.key, "used");
  await getJson(live.key, "/api/v1/runs");
  expect(await live.stub.keyUses()).toEqual({ [live.keyId]: expect.any(Number) });
  expect(await rows(live, "SELECT * FROM key_uses")).toHaveLength(1);

  advanceClock(3 * MINUTE);
  await send(live.key, "used");
  const used = await live.stub.keyUses();
  expect(used[live.keyId]).toBe(minuteOf(now()));
  await evictDurableObject(live.stub);
  expect(await live.stub.keyUses()).toEqual(used);
});

test("records no use of a refused key", async () => {
  const live = await makeEnvironment("live");
  const reader = await makeKey(live);
  await pushKeys(live, 2, [{ id: live.keyId }, { id: reader.id, scopes: ["runs:read"] }]);
  expect((await post(reader.key, "/api/v1/events", { event: { name: "x", payload: {} } })).status).toBe(403);
  expect(await live.stub.keyUses()).toEqual({});
});

test("counts a connected host's key as used, and keeps its last use when the host is gone", async () => {
  const live = await makeEnvironment("live");
  const host = await TestHost.connect(live.key);
  advanceClock(10 * MINUTE);
  const connected = minuteOf(now());
  expect(await live.stub.keyUses()).toEqual({ [live.keyId]: connected });
  host.socket.close(1000, "done");
  const kept = () => rows<{ used_at: number }>(live, "SELECT used_at FROM key_uses");
  await eventually(async () => expect(await kept()).toEqual([{ used_at: connected }]));
  advanceClock(10 * MINUTE);
  // As soon as the object has seen the end of the socket.
  await eventually(async () => expect((await live.stub.keyUses())[live.keyId]).toBe(connected));
});

test("needs no key for a member's call, and no key can make one", async () => {
  const live = await makeEnvironment("live");
  await pushKeys(live, 2, []);
  expect(await live.stub.listWorkflows(MEMBER, { limit: 10, cursor: null })).toEqual({
    ok: true,
    value: { data: [], next: null },
  });
  expect(await live.stub.listWorkflows(live.keyId, { limit: 10, cursor: null })).toEqual({ ok: false, refused: "key" });
  expect((await request("/api/v1/runs", withKey(MEMBER))).status).toBe(401);
  expect(await live.stub.keyUses()).toEqual({});
});
