// The router's log lines. All go to a file, one JSON object per line; warnings and errors, or all lines, are also
// shown. A line that is not JSON (the runtime's own) is wrapped, and only its first line is kept: the rest is a stack.
import { appendFileSync, renameSync, statSync } from "node:fs";

const FILE_MAX_BYTES = 50 * 1024 * 1024;

export interface RouterLog {
  /** One message of the runtime. `level` is the console method's name. */
  write(level: string, message: string, timestamp: number): void;
}

/** Appends to `path`, which is renamed to `….1` when it is full. Shows all levels but info and debug, or all. */
export function openRouterLog(path: string, show: (line: string) => void, verbose: boolean): RouterLog {
  let bytes = sizeOf(path);
  return {
    write(level, message, timestamp) {
      const line = logLine(level, message, timestamp);
      if (bytes > FILE_MAX_BYTES) {
        renameSync(path, `${path}.1`);
        bytes = 0;
      }
      appendFileSync(path, `${line}\n`, { mode: 0o600 });
      bytes += line.length + 1;
      if (verbose || level === "warn" || level === "error") show(line);
    },
  };
}

/** The line as it is stored. The router's own lines are JSON objects already. */
export function logLine(level: string, message: string, timestamp: number): string {
  if (message.startsWith("{") && message.endsWith("}") && !message.includes("\n")) return message;
  const known = level === "log" ? "info" : level;
  const [first] = message.split("\n");
  return JSON.stringify({ time: new Date(timestamp).toISOString(), level: known, message: first });
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0;
  }
}
