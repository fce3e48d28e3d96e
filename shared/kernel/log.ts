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

/** What of a caught error may stand in a log line: its class, never its message or stack. */
export function errorName(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}

/** Longest path that is logged. */
const PATH_MAX_CHARS = 200;

/**
 * A request's path for a log line. One that holds a key, however it is escaped, is not shown, nor is the id of a source:
 * of one that verifies nothing it is the only secret.
 */
export function loggablePath(pathname: string): string {
  let decoded = pathname;
  for (let before = ""; before !== decoded; ) {
    before = decoded;
    decoded = decoded.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
  if (/trigger_[a-z]+_/i.test(decoded)) return "(hidden: it holds a key)";
  if (/src_[0-9a-z]/i.test(decoded))
    return decoded.startsWith("/webhooks/") ? "/webhooks/…" : "(hidden: it names a source)";
  return pathname.slice(0, PATH_MAX_CHARS);
}
