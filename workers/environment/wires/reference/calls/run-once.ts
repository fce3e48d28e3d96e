// INITIALIZE_RUN_ONCE and COMPLETE_RUN_ONCE. A callback whose result is stored is not called again. A callback that was
// interrupted before is called again with the same idempotency key, which is derived and so needs no row.
import { CompleteRunOnce, InitializeRunOnce } from "../../../../../shared/wire/reference/host-calls.ts";
import { noteProgress } from "../../../runs/lost-runs.ts";
import { sendAnswer } from "../../../runs/pending-answers.ts";
import { endRun } from "../../../runs/run-rows.ts";
import { addFinishedStep, findStep } from "../../../runs/step-rows.ts";
import { runCall } from "./call.ts";
import { RESULT, valueProblem } from "./value-problem.ts";

const KIND = "RUN_ONCE";

export const initializeRunOnce = runCall(InitializeRunOnce, ({ context, turn, host, held, data }) => {
  const idempotencyKey = `${data.runId}:${data.key}`;
  const done = data.runOnce.type === "REMOTE" ? findStep(context, held.run, KIND, data.key) : undefined;
  const output = done?.result == null ? "" : `,"output":${done.result}`;
  const result = `{"idempotencyKey":${JSON.stringify(idempotencyKey)},"hasRun":${done !== undefined}${output}}`;
  sendAnswer(context, turn, host, { run: held.run, kind: KIND, key: data.key, failed: 0, result });
  return true;
});

export const completeRunOnce = runCall(CompleteRunOnce, ({ context, turn, held, data, now }) => {
  const { type, output = null } = data.runOnce;
  if (type === "LOCAL_ONLY" || findStep(context, held.run, KIND, data.key)) return true;
  const problem = output === null ? null : valueProblem(output, RESULT);
  if (problem) {
    endRun(context, turn, held.run, { status: "ERROR", error: problem }, now);
    return false;
  }
  const step = { run: held.run, kind: KIND, key: data.key, attempt: held.attempt, now, detail: {} } as const;
  addFinishedStep(context, { ...step, result: output });
  noteProgress(context, turn, held);
  return true;
});
