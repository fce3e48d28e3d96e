// Every call of a host to the server: one schema per method of the reference protocol. `timestamp` is the host's own
// process clock; it is accepted and never used.
import { z } from "zod";
import { Event } from "../../api/events.ts";
import { NAME_MAX_CHARS, STEP_KEY_MAX_CHARS } from "../../kernel/limits.ts";
import { FetchRequest } from "./fetch.ts";
import { Trigger } from "./triggers.ts";

const runId = z.string().max(NAME_MAX_CHARS);
const key = z.string().max(STEP_KEY_MAX_CHARS);
const timestamp = z.string().optional();

export const Registration = z.object({
  apiKey: z.string().optional(),
  workflowId: z.string().min(1).max(NAME_MAX_CHARS),
  workflowName: z.string().max(NAME_MAX_CHARS),
  trigger: Trigger,
  packageName: z.string().max(NAME_MAX_CHARS),
  packageVersion: z.string().max(NAME_MAX_CHARS),
  /** Seconds that a run waits for its first host. */
  triggerTTL: z.number().positive().max(31_536_000).optional(),
  metadata: z.unknown().optional(),
});
export type Registration = z.infer<typeof Registration>;

export const LogLevels = ["DEBUG", "INFO", "WARN", "ERROR"] as const;

export const StartRun = z.object({ runId, timestamp });
export const CompleteRun = z.object({ runId, output: z.string().optional(), timestamp });
/** Any error that the client sends is accepted; see `readRunError`. */
export const FailRun = z.object({ runId, error: z.unknown(), timestamp });
/** The key of a log is its message, so it may be long. Nothing is named by it. */
export const SendLog = z.object({
  runId,
  key: z.string(),
  log: z.object({ message: z.string(), level: z.enum(LogLevels), properties: z.string().optional() }),
  timestamp,
});
export const SendEvent = z.object({ runId, key, event: Event, timestamp });

const amount = z.number().optional();
export const InitializeDelay = z.object({
  runId,
  key,
  wait: z.discriminatedUnion("type", [
    z.object({ type: z.literal("DELAY"), seconds: amount, minutes: amount, hours: amount, days: amount }),
    z.object({ type: z.literal("SCHEDULE_FOR"), scheduledFor: z.iso.datetime({ offset: true }) }),
  ]),
  timestamp,
});
export type Wait = z.infer<typeof InitializeDelay>["wait"];

export const SendFetch = z.object({ runId, key, fetch: FetchRequest, timestamp });

const runOnceType = z.enum(["REMOTE", "LOCAL_ONLY"]);
export const InitializeRunOnce = z.object({ runId, key, runOnce: z.object({ type: runOnceType }), timestamp });
export const CompleteRunOnce = z.object({
  runId,
  key,
  runOnce: z.object({ type: runOnceType, idempotencyKey: z.string(), output: z.string().optional() }),
  timestamp,
});

const item = {
  namespace: z
    .string()
    .min(1)
    .max(2 * NAME_MAX_CHARS),
  key: z.string().max(STEP_KEY_MAX_CHARS),
};
export const KvGet = z.object({ runId, key, get: z.object(item), timestamp });
export const KvSet = z.object({ runId, key, set: z.object({ ...item, value: z.unknown() }), timestamp });
export const KvDelete = z.object({ runId, key, delete: z.object(item), timestamp });

export const SendRequest = z.object({
  runId,
  key,
  request: z.object({ service: z.string(), endpoint: z.string(), params: z.unknown(), version: z.string().optional() }),
  timestamp,
});

/** Reads a run's id from the data of a malformed call. */
export function runIdOf(data: unknown): string | undefined {
  const parsed = z.object({ runId }).safeParse(data);
  return parsed.success ? parsed.data.runId : undefined;
}
