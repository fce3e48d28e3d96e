// What follows from an attempt at a fetch.
import { expect, it } from "vitest";
import { type Attempted, Retry } from "../../../shared/wire/reference/fetch.ts";
import { type Judgement, judge } from "./fetches.ts";

const answered = (status: number, retryAfterMs: number | null = null): Attempted => ({
  kind: "response",
  response: { status, ok: status < 400, headers: {} },
  retryAfterMs,
});
const failed: Attempted = { kind: "failed", error: { name: "FetchError", message: "no" } };
const retry = (afterMs: number): Judgement => ({ next: "retry", afterMs });
const resolve = (status: number) => ({ next: "resolve", result: { status } });
const reject = (status: number) => ({ next: "reject", result: { status } });

it.each<[string, Attempted, number, Parameters<typeof Retry.parse>[0], object]>([
  ["a good answer", answered(200), 1, {}, resolve(200)],
  ["an answer that is no good and not listed", answered(404), 1, {}, resolve(404)],
  ["the first wait", answered(503), 1, {}, retry(1_000)],
  ["the second wait is 1.8 times as long", answered(503), 2, {}, retry(1_800)],
  ["no wait is longer than the longest", answered(503), 9, {}, retry(60_000)],
  ["408", answered(408), 1, {}, retry(1_000)],
  ["429", answered(429), 1, {}, retry(1_000)],
  ["501 is not tried again", answered(501), 1, {}, resolve(501)],
  ["the tenth attempt is the last", answered(500), 10, {}, reject(500)],
  ["one attempt in all", answered(500), 1, { maxAttempts: 1 }, reject(500)],
  ["no retries asked for", answered(500), 1, { enabled: false }, resolve(500)],
  ["a status the call lists", answered(418), 1, { statusCodes: [418] }, retry(1_000)],
  ["a status the call leaves out", answered(500), 1, { statusCodes: [418] }, resolve(500)],
  ["the target says when", answered(429, 5_000), 1, {}, retry(5_000)],
  ["the target says at once", answered(429, 0), 3, {}, retry(0)],
  ["the target says in a year", answered(429, 31_536_000_000), 1, {}, retry(3_600_000)],
  ["no response at all is final", failed, 1, {}, { next: "reject", result: { name: "FetchError" } }],
])("%s", (_what, attempted, tries, settings, expected) => {
  expect(judge(attempted, Retry.parse(settings), tries)).toMatchObject(expected);
});
