// The rows of runs and steps as their tables have them (migrations.ts). Only runs/ writes these tables.

export interface RunRow extends Record<string, SqlStorageValue> {
  id: number;
  workflow: number;
  event: number;
  /** Attempts known to have started. */
  attempts: number;
  lost_in_a_row: number;
  /** Time before which the run is not offered again, after a loss. */
  resume_at: number | null;
  expires_at: number;
  is_test: number;
  rerun_of: number | null;
  started_at: number | null;
  finished_at: number | null;
  status: string | null;
  output: string | null;
  error: string | null;
  /** 0 for a run that may be open and is not in the index of open runs (state/open-run-index.ts). */
  indexed: number;
}

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
  /** Time of the router's next action while the step's answer is pending; else null. */
  due_at: number | null;
  /** The host that waits for the answer. */
  host: number | null;
  /** Calls made so far, for a fetch. */
  tries: number;
  /** 1 while a call is under way. */
  calling: number;
  /** 1 if the result is an error. */
  failed: number;
  /** The part of the step that the API shows, as JSON. */
  detail: string;
  /** The part that the next attempt needs and nobody may see. */
  sealed: ArrayBuffer | null;
  /** JSON, or null for none. */
  result: string | null;
}
