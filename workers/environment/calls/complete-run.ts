// COMPLETE_WORKFLOW_RUN: the user's code returned. An output that cannot be kept ends the run with an error that says
// why; the socket stays, since a replay would only produce the same output again.
import { utf8Length } from "../../../shared/canonical-json.ts";
import { VALUE_MAX_BYTES } from "../../../shared/limits.ts";
import type { RunError } from "../../../shared/runs.ts";
import { CompleteRun } from "../../../shared/wire/host-calls.ts";
import { endRun } from "../runs.ts";
import { runCall } from "./call.ts";

export const completeRun = runCall(CompleteRun, ({ context, turn, held, data, now }) => {
  const output = data.output ?? null;
  const unusable = output === null ? null : outputError(output);
  if (unusable) {
    endRun(context, turn, held.run, { status: "ERROR", error: unusable }, now);
    return false;
  }
  return endRun(context, turn, held.run, { status: "SUCCESS", output }, now);
});

function outputError(output: string): RunError | null {
  const bytes = utf8Length(output);
  if (bytes > VALUE_MAX_BYTES) {
    return {
      name: "OutputTooLarge",
      message: `the run returned ${bytes} bytes; an output may have ${VALUE_MAX_BYTES} at most`,
    };
  }
  try {
    JSON.parse(output);
    return null;
  } catch {
    return { name: "OutputNotJson", message: "the run's output is not JSON" };
  }
}
