// Checks JSON text that a host sent and that is to be stored. Text that cannot be stored ends its run with an error that says
// why, because a replay would only produce it again.
import type { RunError } from "../../../../../shared/api/runs.ts";
import { utf8Length } from "../../../../../shared/kernel/canonical-json.ts";
import { VALUE_MAX_BYTES } from "../../../../../shared/kernel/limits.ts";

interface ValueKind {
  /** Start of the error's name. */
  readonly name: "Output" | "Result";
  readonly label: string;
}

export const OUTPUT: ValueKind = { name: "Output", label: "the run's output" };
export const RESULT: ValueKind = { name: "Result", label: "a step's result" };

/** The error that ends the run; null for text that can be stored. */
export function valueProblem(json: string, { name, label }: ValueKind): RunError | null {
  const bytes = utf8Length(json);
  if (bytes > VALUE_MAX_BYTES) {
    return { name: `${name}TooLarge`, message: `${label} has ${bytes} bytes; it may have ${VALUE_MAX_BYTES} at most` };
  }
  try {
    JSON.parse(json);
    return null;
  } catch {
    return { name: `${name}NotJson`, message: `${label} is not JSON` };
  }
}
