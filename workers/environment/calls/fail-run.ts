// SEND_WORKFLOW_ERROR: the user's code threw, or the event did not fit the workflow's schema. Whatever the client sends
// as an error is accepted; what is missing is filled in.
import { z } from "zod";
import type { RunError } from "../../../shared/runs.ts";
import { FailRun } from "../../../shared/wire/host-calls.ts";
import { endRun } from "../runs.ts";
import { runCall } from "./call.ts";

/** Characters kept of a message and a stack, so that an error always fits its row. */
const MESSAGE_MAX_CHARS = 64 * 1024;
const STACK_MAX_CHARS = 128 * 1024;

export const failRun = runCall(FailRun, ({ context, turn, held, data, now }) =>
  endRun(context, turn, held.run, { status: "ERROR", error: readRunError(data.error) }, now),
);

const text = z.string().min(1).optional().catch(undefined);
const ErrorParts = z.object({ name: text, message: text, stackTrace: text }).catch({});

/** An error of any form as `{name, message, stackTrace?}`. */
export function readRunError(error: unknown): RunError {
  const { name, message, stackTrace } = ErrorParts.parse(error);
  return {
    name: name?.slice(0, 256) ?? "Error",
    message: message?.slice(0, MESSAGE_MAX_CHARS) ?? "no message was sent",
    ...(stackTrace !== undefined && { stackTrace: stackTrace.slice(0, STACK_MAX_CHARS) }),
  };
}
