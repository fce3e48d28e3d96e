// Everything a host may call on the server: one schema per method of the reference protocol.
// `timestamp` is the host's own process clock; it is accepted and never used.
import { z } from "zod";
import { NAME_MAX_CHARS } from "../limits.ts";
import { Trigger } from "./triggers.ts";

const runId = z.string().max(NAME_MAX_CHARS);
/** A step's key. The reference client uses the message itself as the key of a log, so a key may be long. */
const key = z.string();
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
/** Whatever the client sends as an error is accepted; see `readRunError`. */
export const FailRun = z.object({ runId, error: z.unknown(), timestamp });
export const SendLog = z.object({
  runId,
  key,
  log: z.object({ message: z.string(), level: z.enum(LogLevels), properties: z.string().optional() }),
  timestamp,
});

/** Reads a run's id from the data of a call that is otherwise not of its form. */
export function runIdOf(data: unknown): string | undefined {
  const parsed = z.object({ runId }).safeParse(data);
  return parsed.success ? parsed.data.runId : undefined;
}
