// SEND_LOG: a line that the user's code logged. The client sends the message as the step's key, so the router takes a key of
// its own: both of two equal lines are kept. A line that is too large ends the run with an error, because the client would
// send it again after every replay.
import { utf8Length } from "../../../../../shared/kernel/canonical-json.ts";
import { VALUE_MAX_BYTES } from "../../../../../shared/kernel/limits.ts";
import { SendLog } from "../../../../../shared/wire/reference/host-calls.ts";
import { endRun } from "../../../runs/run-rows.ts";
import { addStep } from "../../../runs/step-rows.ts";
import { runCall } from "./call.ts";

export const sendLog = runCall(SendLog, ({ context, turn, held, data, now }) => {
  const { level, message, properties } = data.log;
  const bytes = utf8Length(message) + utf8Length(properties ?? "");
  if (bytes > VALUE_MAX_BYTES) {
    const error = {
      name: "LogTooLarge",
      message: `the run logged ${bytes} bytes at once; a log may have ${VALUE_MAX_BYTES} at most`,
    };
    endRun(context, turn, held.run, { status: "ERROR", error }, now);
    return false;
  }
  addStep(context, {
    run: held.run,
    kind: "LOG_MESSAGE",
    attempt: held.attempt,
    now,
    detail: `{"level":"${level}","message":${JSON.stringify(message)},"properties":${asJson(properties)}}`,
  });
  return true;
});

/** The properties of a log as JSON text. Text that is not JSON becomes a string. */
function asJson(text: string | undefined): string {
  if (text === undefined) return "{}";
  try {
    JSON.parse(text);
    return text;
  } catch {
    return JSON.stringify(text);
  }
}
