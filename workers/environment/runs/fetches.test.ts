// The decision after an attempt at a fetch.
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
  ["resolves with a good answer", answered(200), 1, {}, resolve(200)],
  ["resolves with a bad answer whose status is not listed", answered(404), 1, {}, resolve(404)],
  ["waits 1 s the first time", answered(503), 1, {}, retry(1_000)],
  ["waits 1.8 times as long the second time", answered(503), 2, {}, retry(1_800)],
  ["waits no longer than the longest wait", answered(503), 9, {}, retry(60_000)],
  ["retries 408", answered(408), 1, {}, retry(1_000)],
  ["retries 429", answered(429), 1, {}, retry(1_000)],
  ["resolves with 501", answered(501), 1, {}, resolve(501)],
  ["rejects after the tenth attempt", answered(500), 10, {}, reject(500)],
  ["rejects after the only attempt", answered(500), 1, { maxAttempts: 1 }, reject(500)],
  ["resolves without retries if they are disabled", answered(500), 1, { enabled: false }, resolve(500)],
  ["retries a status that the call lists", answered(418), 1, { statusCodes: [418] }, retry(1_000)],
  ["resolves with a status that the call leaves out", answered(500), 1, { statusCodes: [418] }, resolve(500)],
  ["waits as long as the target says", answered(429, 5_000), 1, {}, retry(5_000)],
  ["retries at once if the target says so", answered(429, 0), 3, {}, retry(0)],
  ["waits an hour at most", answered(429, 31_536_000_000), 1, {}, retry(3_600_000)],
  ["rejects without a response", failed, 1, {}, { next: "reject", result: { name: "FetchError" } }],
])("%s", (_name, attempted, tries, settings, expected) => {
  expect(judge(attempted, Retry.parse(settings), tries)).toMatchObject(expected);
});
