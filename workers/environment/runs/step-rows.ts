// The rows of steps. A step is named by run, kind and key; its first result is the one that every later attempt gets,
// which is what makes a replayed run's effects happen once.
//
// Promise 2 is kept here: a finished step's result never changes. Every write of a result is guarded by
// `finished_at IS NULL`. Tests: tests/workerd/steps.test.ts.

import { utf8Length } from "../../../shared/kernel/canonical-json.ts";
import { ROW_MAX_BYTES } from "../../../shared/kernel/limits.ts";
import type { EnvironmentContext } from "../state/context.ts";

export type StepKind =
  | "LOG_MESSAGE"
  | "DISCONNECTION"
  | "DURABLE_DELAY"
  | "FETCH_REQUEST"
  | "RUN_ONCE"
  | "KV_GET"
  | "KV_SET"
  | "KV_DELETE"
  | "CUSTOM_EVENT"
  | "REQUEST";

export interface StepRow extends Record<string, SqlStorageValue> {
  run: number;
  kind: StepKind;
  key: string;
  attempt: number;
  created_at: number;
  finished_at: number | null;
  /** While the router owes the host an answer: when to act next. */
  due_at: number | null;
  /** The host that waits for the answer. */
  host: number | null;
  /** Calls made so far, for a fetch. */
  tries: number;
  /** 1 while one of them is under way. */
  calling: number;
  /** 1 when the result is an error. */
  failed: number;
  /** What the API shows of the step, as JSON. */
  detail: string;
  /** What is needed for the next attempt and must not be shown. */
  sealed: ArrayBuffer | null;
  /** JSON, or null for none. */
  result: string | null;
}

export interface NewStep {
  readonly run: number;
  readonly kind: StepKind;
  readonly attempt: number;
  readonly now: number;
  /** What the API shows of the step: an object, or its JSON text. */
  readonly detail: Readonly<Record<string, unknown>> | string;
}

/** A step that cannot be stored because its row would be too large. */
export class StepTooLarge extends Error {
  override readonly name = "StepTooLarge";
}

/** Adds a step that has no key of its own: two equal logs of one run are two steps. */
export function addStep(context: EnvironmentContext, step: NewStep): void {
  addFinishedStep(context, { ...step, key: String(context.nextNumber()), result: null });
}

/** Adds a step that is finished as it begins. */
export function addFinishedStep(
  { sql }: EnvironmentContext,
  step: NewStep & {
    readonly key: string;
    readonly result: string | null;
    readonly failed?: boolean;
    readonly began?: number;
  },
): void {
  const detail = detailText(step);
  assertFits(detail, step.result);
  sql.exec(
    `INSERT INTO steps (run, kind, key, attempt, created_at, finished_at, failed, detail, result)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    step.run,
    step.kind,
    step.key,
    step.attempt,
    step.began ?? step.now,
    step.now,
    step.failed ? 1 : 0,
    detail,
    step.result,
  );
}

/** Adds a step whose answer the router owes to a host, to act on at `dueAt`. */
export function addOwedStep(
  { sql }: EnvironmentContext,
  step: NewStep & {
    readonly key: string;
    readonly host: number;
    readonly dueAt: number;
    readonly sealed: Uint8Array | null;
    readonly tries: number;
  },
): void {
  const detail = detailText(step);
  assertFits(detail, null, step.sealed?.byteLength);
  sql.exec(
    `INSERT INTO steps (run, kind, key, attempt, created_at, due_at, host, tries, calling, detail, sealed)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    step.run,
    step.kind,
    step.key,
    step.attempt,
    step.now,
    step.dueAt,
    step.host,
    step.tries,
    step.tries,
    detail,
    step.sealed,
  );
}

export function findStep({ sql }: EnvironmentContext, run: number, kind: StepKind, key: string): StepRow | undefined {
  return sql.exec<StepRow>("SELECT * FROM steps WHERE run = ? AND kind = ? AND key = ?", run, kind, key).toArray()[0];
}

function detailText({ detail }: NewStep): string {
  return typeof detail === "string" ? detail : JSON.stringify(detail);
}

/** Bytes a step's row may take besides its detail, result and sealed part. */
const ROW_OVERHEAD_BYTES = 16_384;

/** Whether a step with these can be one row. */
export function stepFits(detail: string, result: string | null, sealedBytes = 0): boolean {
  return utf8Length(detail) + utf8Length(result ?? "") + sealedBytes <= ROW_MAX_BYTES - ROW_OVERHEAD_BYTES;
}

function assertFits(detail: string, result: string | null, sealedBytes?: number): void {
  if (!stepFits(detail, result, sealedBytes)) throw new StepTooLarge();
}
