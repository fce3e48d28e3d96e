// The options of a local start. `scripts/start.mjs` has read and completed them.

import { resolve } from "node:path";
import { parseArgs } from "node:util";

export interface StartOptions {
  /** 0 takes a free port. */
  readonly port: number;
  /** Absolute path. */
  readonly directory: string;
  /** Lets tests move the router's time: POST /local/clock. */
  readonly movableClock: boolean;
  /** Shows every log line, not only warnings and errors. */
  readonly verbose: boolean;
}

export function readOptions(args: readonly string[]): StartOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      port: { type: "string", default: "8787" },
      data: { type: "string", default: ".data" },
      "movable-clock": { type: "boolean", default: false },
      verbose: { type: "boolean", default: false },
    },
  });
  return {
    port: Number(values.port),
    directory: resolve(values.data),
    movableClock: values["movable-clock"],
    verbose: values.verbose,
  };
}
