// COMPLETE_WORKFLOW_RUN: the user's code returned. An output that cannot be stored ends the run with an error that says why,
// because a replay would only produce the same output again. The socket stays open.
import { CompleteRun } from "../../../../../shared/wire/reference/host-calls.ts";
import { endRun } from "../../../runs/run-rows.ts";
import { runCall } from "./call.ts";
import { OUTPUT, valueProblem } from "./value-problem.ts";

export const completeRun = runCall(CompleteRun, ({ context, turn, held, data, now }) => {
  const output = data.output ?? null;
  const unusable = output === null ? null : valueProblem(output, OUTPUT);
  if (unusable) {
    endRun(context, turn, held.run, { status: "ERROR", error: unusable }, now);
    return false;
  }
  return endRun(context, turn, held.run, { status: "SUCCESS", output }, now);
});
