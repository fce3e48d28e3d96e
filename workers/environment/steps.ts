// The steps of a run: for now its logs and the losses of its hosts. A step is one row, keyed by run, kind and key.
import type { EnvironmentContext } from "./context.ts";

export type StepKind = "LOG_MESSAGE" | "DISCONNECTION";

export interface StepRow extends Record<string, SqlStorageValue> {
  run: number;
  kind: string;
  key: string;
  attempt: number;
  created_at: number;
  finished_at: number | null;
  detail: string;
}

export interface NewStep {
  readonly run: number;
  readonly kind: StepKind;
  readonly attempt: number;
  readonly now: number;
  /** What the API shows of the step, as JSON. */
  readonly detail: Readonly<Record<string, unknown>>;
}

/** Adds a step that has no key of its own: two equal logs of one run are two steps. */
export function addStep(context: EnvironmentContext, { run, kind, attempt, now, detail }: NewStep): void {
  context.sql.exec(
    "INSERT INTO steps (run, kind, key, attempt, created_at, finished_at, detail) VALUES (?, ?, ?, ?, ?, ?, ?)",
    run,
    kind,
    String(context.nextNumber()),
    attempt,
    now,
    now,
    JSON.stringify(detail),
  );
}

/** A run's steps in the order they began. */
export function stepsOf(sql: SqlStorage, run: number): StepRow[] {
  return sql.exec<StepRow>("SELECT * FROM steps WHERE run = ? ORDER BY created_at, key", run).toArray();
}
