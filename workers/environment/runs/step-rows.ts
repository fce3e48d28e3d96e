// The rows of steps, and every write of them. Run, kind and key name a step. Its first result is the result that every
// later attempt gets, so a replayed run has its effects once.
//
// Promise 2 is kept here: the result of a finished step never changes. Every write of a result is guarded by
// `finished_at IS NULL`. Tests: tests/workerd/steps.test.ts.
import { utf8Length } from "../../../shared/kernel/canonical-json.ts";
import { ROW_MAX_BYTES } from "../../../shared/kernel/limits.ts";
import type { EnvironmentContext } from "../state/context.ts";
import { NO_HOST } from "../state/host.ts";
import type { StepKind, StepRow } from "../storage/rows.ts";

export interface NewStep {
  readonly run: number;
  readonly kind: StepKind;
  readonly attempt: number;
  readonly now: number;
  /** The part of the step that the API shows: an object, or its JSON text. */
  readonly detail: Readonly<Record<string, unknown>> | string;
}

/** A step that cannot be stored because its row would be too large. */
export class StepTooLarge extends Error {
  override readonly name = "StepTooLarge";
}

type Stored = Pick<EnvironmentContext, "sql">;
type StepName = Pick<StepRow, "run" | "kind" | "key">;

const THIS_STEP = "run = ? AND kind = ? AND key = ?";
const nameOf = ({ run, kind, key }: StepName): [number, string, string] => [run, kind, key];

export function findStep({ sql }: Stored, run: number, kind: StepKind, key: string): StepRow | undefined {
  return sql.exec<StepRow>(`SELECT * FROM steps WHERE ${THIS_STEP}`, run, kind, key).toArray()[0];
}

// ---- Finished steps ----

/** Adds a step that has no key of its own: two equal logs of one run are two steps. */
export function addStep(context: Pick<EnvironmentContext, "sql" | "nextNumber">, step: NewStep): void {
  addFinishedStep(context, { ...step, key: String(context.nextNumber()), result: null });
}

/** Adds a step that is finished as it begins. */
export function addFinishedStep(
  { sql }: Stored,
  step: NewStep & { readonly key: string; readonly result: string | null; readonly failed?: boolean },
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
    step.now,
    step.now,
    step.failed ? 1 : 0,
    detail,
    step.result,
  );
}

// ---- Pending answers ----

/** Adds a step whose answer a host waits for. The router acts on it at `dueAt`. */
export function addPendingStep(
  { sql }: Stored,
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

/** True while the run waits for an answer of the router. */
export function hasPendingAnswer({ sql }: Stored, run: number): boolean {
  const [pending] = sql.exec("SELECT 1 FROM steps WHERE run = ? AND due_at IS NOT NULL LIMIT 1", run);
  return pending !== undefined;
}

/** From here on this host waits for the step's answer. */
export function setWaitingHost({ sql }: Stored, step: StepName, host: number): void {
  sql.exec(`UPDATE steps SET host = ? WHERE ${THIS_STEP}`, host, ...nameOf(step));
}

/** Stores the step's answer. `deliverAt` is null if it is sent at once. Undefined if the step was finished before. */
export function finishPendingStep(
  { sql }: Stored,
  step: StepName,
  answer: { readonly result: string | null; readonly failed: boolean },
  deliverAt: number | null,
  now: number,
): StepRow | undefined {
  const [finished] = sql.exec<StepRow>(
    `UPDATE steps SET finished_at = ?, due_at = ?, failed = ?, result = ?, sealed = NULL, calling = 0
     WHERE ${THIS_STEP} AND finished_at IS NULL RETURNING *`,
    now,
    deliverAt,
    answer.failed ? 1 : 0,
    answer.result,
    ...nameOf(step),
  );
  return finished;
}

/** The stored answer was sent, or no host waits for it. */
export function noteDelivered({ sql }: Stored, step: StepName): void {
  sql.exec(`UPDATE steps SET due_at = NULL WHERE ${THIS_STEP}`, ...nameOf(step));
}

/** The host that waited is lost. Without a host the run is found and offered like a run that sleeps with a lost host. */
export function disownPendingAnswers({ sql }: Stored, run: number): void {
  sql.exec("UPDATE steps SET host = ? WHERE run = ? AND due_at IS NOT NULL", NO_HOST, run);
}

/** The run has ended: nobody waits for its answers. */
export function dropPendingAnswers({ sql }: Stored, run: number): void {
  sql.exec("UPDATE steps SET due_at = NULL, sealed = NULL WHERE run = ? AND due_at IS NOT NULL", run);
}

// ---- Calls of a fetch ----

/** Begins the next call of a fetch, which counts as cut off from `cutOffAt` on. */
export function beginCall({ sql }: Stored, step: StepName, cutOffAt: number): StepRow {
  return sql
    .exec<StepRow>(
      `UPDATE steps SET tries = tries + 1, calling = 1, due_at = ? WHERE ${THIS_STEP} RETURNING *`,
      cutOffAt,
      ...nameOf(step),
    )
    .one();
}

/** The call has ended and no other follows. */
export function endCall({ sql }: Stored, step: StepName): void {
  sql.exec(`UPDATE steps SET calling = 0 WHERE ${THIS_STEP}`, ...nameOf(step));
}

/** The call has ended; the next is made at this time. */
export function retryCallAt({ sql }: Stored, step: StepName, at: number): void {
  sql.exec(`UPDATE steps SET due_at = ?, calling = 0 WHERE ${THIS_STEP}`, at, ...nameOf(step));
}

// ---- Forgetting ----

export function deleteSteps({ sql }: Stored, run: number): void {
  sql.exec("DELETE FROM steps WHERE run = ?", run);
}

/** Deletes at most `limit` steps of a run. False if there were none. */
export function deleteSomeSteps({ sql }: Stored, run: number, limit: number): boolean {
  const gone = sql.exec(
    "DELETE FROM steps WHERE run = ?1 AND (kind, key) IN (SELECT kind, key FROM steps WHERE run = ?1 LIMIT ?2)",
    run,
    limit,
  );
  return gone.rowsWritten > 0;
}

// ---- Size ----

/** Bytes that a step's row may take besides its detail, result and sealed part. */
const ROW_OVERHEAD_BYTES = 16_384;

/** True if a step with these parts fits into one row. */
export function stepFits(detail: string, result: string | null, sealedBytes = 0): boolean {
  return utf8Length(detail) + utf8Length(result ?? "") + sealedBytes <= ROW_MAX_BYTES - ROW_OVERHEAD_BYTES;
}

function detailText({ detail }: NewStep): string {
  return typeof detail === "string" ? detail : JSON.stringify(detail);
}

function assertFits(detail: string, result: string | null, sealedBytes?: number): void {
  if (!stepFits(detail, result, sealedBytes)) throw new StepTooLarge();
}
