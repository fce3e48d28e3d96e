import { expect, test } from "vitest";
import type { Env } from "../env.ts";
import { addressOf, afterBadGuess, afterBadKey, isGuessing, isTooMany, tooMany } from "./rate-limits.ts";

const from = (address: string) => new Request("https://x.test", { headers: { "cf-connecting-ip": address } });

test.each([
  ["203.0.113.7", "203.0.113.7"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:DB8:1:2::6", "2001:db8:1:2::/64"],
  ["2001:0db8:0001:0002::", "2001:db8:1:2::/64"],
  ["2001:db8::6", "2001:db8:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
])("%s counts as %s", (address, counted) => {
  expect(addressOf(from(address))).toBe(counted);
});

function envWith(success: boolean | "broken", RATE_LIMITS?: string) {
  const counted: string[] = [];
  const limit = async ({ key }: { key: string }) => {
    counted.push(key);
    if (success === "broken") throw new Error("the platform is away");
    return { success };
  };
  const env = { FAILURE_LIMIT: { limit }, ...(RATE_LIMITS !== undefined && { RATE_LIMITS }) } as unknown as Env;
  return { env, counted };
}

test("one too many is answered with 429 and the seconds to wait, in place of the refusal", async () => {
  const refusal = new Response(null, { status: 401 });
  const { env, counted } = envWith(false);
  const answer = await afterBadKey(env, from("203.0.113.7"), refusal);
  expect([answer.status, answer.headers.get("retry-after"), counted]).toEqual([429, "60", ["key 203.0.113.7"]]);
  expect(await afterBadKey(envWith(true).env, from("203.0.113.7"), refusal)).toBe(refusal);
  expect(tooMany("KEY_LIMIT").headers.get("retry-after")).toBe("10");
});

test("nothing is refused when limits are off, and when they cannot be counted", async () => {
  const off = envWith(false, "off");
  expect([await isTooMany(off.env, "FAILURE_LIMIT", "x"), off.counted]).toEqual([false, []]);
  expect(await isTooMany(envWith("broken").env, "FAILURE_LIMIT", "x")).toBe(false);
  expect(await isTooMany(envWith(false).env, "KEY_LIMIT", "x")).toBe(false);
});

test("an address that guesses too often is not listened to for a while, and no other", async () => {
  const refusal = new Response(null, { status: 401 });
  expect(await afterBadGuess(envWith(true).env, from("203.0.113.8"), refusal)).toBe(refusal);
  expect(isGuessing(from("203.0.113.8"))).toBe(false);
  expect((await afterBadGuess(envWith(false).env, from("203.0.113.8"), refusal)).status).toBe(429);
  expect([isGuessing(from("203.0.113.8")), isGuessing(from("203.0.113.9"))]).toEqual([true, false]);
});
