// Calls on the user's behalf. The object stores the request, has the stateless entrypoint make the call, and stores the
// answer; the object itself calls no target. A call that was cut off because the object was lost is made again, so a target
// may see an attempt twice. The run gets its answer once.
import { FETCH_CUT_OFF_AFTER_MS, RETRY_AFTER_MAX_MS } from "../../../shared/kernel/limits.ts";
import {
  type Attempted,
  type FetchRequest,
  MASKED,
  type OutgoingRequest,
  type Retry,
} from "../../../shared/wire/reference/fetch.ts";
import type { Turn } from "../state/commits.ts";
import type { EnvironmentContext } from "../state/context.ts";
import type { StepRow } from "../storage/rows.ts";
import { settleStep } from "./pending-answers.ts";
import { readRun } from "./run-rows.ts";
import { beginCall, endCall, findStep, retryCallAt, stepFits } from "./step-rows.ts";

/** The stored and shown part of a fetch: the request with its secrets masked, and its retries. */
export interface FetchDetail {
  readonly request: {
    readonly url: string;
    readonly method: FetchRequest["method"];
    readonly headers: Record<string, string>;
  };
  /** JSON text of the body. */
  readonly body: string | null;
  readonly retry: Retry;
}

export type Judgement =
  | { readonly next: "resolve" | "reject"; readonly result: unknown }
  | { readonly next: "retry"; readonly afterMs: number };

/** Decides after an attempt: answer the run, or make another attempt after a wait. `tries` counts this attempt. */
export function judge(attempted: Attempted, retry: Retry, tries: number): Judgement {
  if (attempted.kind === "failed") return { next: "reject", result: attempted.error };
  const { response, retryAfterMs } = attempted;
  if (!retry.enabled || !retry.statusCodes.includes(response.status)) return { next: "resolve", result: response };
  if (tries >= retry.maxAttempts) return { next: "reject", result: response };
  const backoff = Math.min(retry.maxTimeout, retry.minTimeout * retry.factor ** (tries - 1));
  return { next: "retry", afterMs: retryAfterMs === null ? backoff : Math.min(retryAfterMs, RETRY_AFTER_MAX_MS) };
}

/** Makes the next call of a fetch. Resolves when its outcome is stored. */
export async function performFetch(context: EnvironmentContext, step: StepRow, clock: () => number): Promise<void> {
  const request = await outgoingRequest(context, step);
  const attempted: Attempted =
    request === null
      ? {
          kind: "failed",
          error: { name: "FetchError", message: "the request can no longer be read: its secret was retired" },
        }
      : await context.outgoing.attempt(request).catch(() => ({
          kind: "failed",
          error: { name: "FetchError", message: "the call could not be made" },
        }));
  await context.commits.run((turn) => storeAttempt(context, turn, step, attempted, clock()));
}

function storeAttempt(context: EnvironmentContext, turn: Turn, step: StepRow, attempted: Attempted, now: number): void {
  const current = findStep(context, step.run, step.kind, step.key);
  // This attempt was taken for cut off and a later one has begun: the answer of the later one counts.
  if (!current || current.finished_at !== null || current.tries !== step.tries) return;
  // A run that has ended waits for nothing, so the call is not repeated.
  if (readRun(context, step.run)?.finished_at !== null) {
    endCall(context, step);
    return;
  }
  const { retry } = JSON.parse(current.detail) as FetchDetail;
  const judged = judge(attempted, retry, step.tries);
  if (judged.next === "retry") {
    retryCallAt(context, step, now + judged.afterMs);
    return;
  }
  let result = JSON.stringify(judged.result);
  let failed = judged.next === "reject";
  if (!stepFits(current.detail, result)) {
    failed = true;
    result = JSON.stringify({ name: "ResponseTooLarge", message: "the response is too large to be kept" });
  }
  settleStep(context, turn, current, { result, failed }, now);
}

/** Begins the next attempt of a fetch that is due. Without an answer in time it counts as cut off. */
export function beginAttempt(context: EnvironmentContext, turn: Turn, step: StepRow, now: number): void {
  const begun = beginCall(context, step, now + FETCH_CUT_OFF_AFTER_MS);
  turn.afterwards(() => context.perform(begun));
}

/** Calls that were under way when the object was lost. They are made again, as the same attempt. */
export function callsCutOff({ sql }: EnvironmentContext, now: number): StepRow[] {
  return sql
    .exec<StepRow>(
      "SELECT * FROM steps WHERE due_at > ? AND due_at <= ? AND calling = 1 AND finished_at IS NULL",
      now,
      now + FETCH_CUT_OFF_AFTER_MS,
    )
    .toArray();
}

async function outgoingRequest(context: EnvironmentContext, step: StepRow): Promise<OutgoingRequest | null> {
  const { request, body } = JSON.parse(step.detail) as FetchDetail;
  if (step.sealed === null) return Object.values(request.headers).includes(MASKED) ? null : { ...request, body };
  const headers = await context.unseal(new Uint8Array(step.sealed));
  return headers === null ? null : { ...request, headers: JSON.parse(headers) as Record<string, string>, body };
}
