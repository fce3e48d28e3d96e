// Structured log lines: one JSON object each, with ids and counts. Nothing here may be handed a payload, a key, a
// secret or a stack; the fields' type allows scalars only, and promise 7 is tested in tests/system.
import { now } from "./clock.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

const ORDER: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };
let threshold: LogLevel = "info";

/** Lines below `level` are dropped from here on. */
export function setLogLevel(level: LogLevel): void {
  threshold = level;
}

/** Writes one line: `{"time","level","message",…fields}`. `message` is a constant phrase, never built from input. */
export function log(level: LogLevel, message: string, fields: LogFields = {}): void {
  if (ORDER[level] < ORDER[threshold]) return;
  const line = JSON.stringify({ time: new Date(now()).toISOString(), level, message, ...fields });
  if (level === "error") console.error(line);
  else if (level === "warn") console.warn(line);
  else console.log(line);
}
