// SEND_WORKFLOW_ERROR: the user's code threw, or the event did not fit the workflow's schema. An error of any form is
// accepted, and its missing parts are filled in.
import { z } from "zod";
import type { RunError } from "../../../../../shared/api/runs.ts";
import { FailRun } from "../../../../../shared/wire/reference/host-calls.ts";
import { requeueLostRuns } from "../../../runs/lost-runs.ts";
import { endRun } from "../../../runs/run-rows.ts";
import { runCall } from "./call.ts";

/** Characters kept of a message and a stack, so that an error always fits its row. */
const MESSAGE_MAX_CHARS = 64 * 1024;
const STACK_MAX_CHARS = 128 * 1024;

export const failRun = runCall(FailRun, ({ context, turn, host, held, data, now }) => {
  const error = readRunError(data.error);
  const workflow = host.registration?.workflow;
  if (isUnansweredCall(data.error) && workflow !== undefined) {
    turn.apply(() => context.hosts.held.release(held.run));
    requeueLostRuns(context, turn, workflow, [held], now);
    return true;
  }
  return endRun(context, turn, held.run, { status: "ERROR", error }, now);
});

/**
 * True for the reference client's report that the router did not answer one of its calls in 5 s: no message, and a stack in
 * the client's timer. The router is at fault, so the attempt counts as lost and the run goes on.
 */
export function isUnansweredCall(error: unknown): boolean {
  const { name, message, stackTrace } = RawError.parse(error);
  return (
    name === "Error" &&
    message === "" &&
    stackTrace !== undefined &&
    /\bTimeout\._onTimeout\b.*@trigger\.dev/.test(stackTrace)
  );
}

const RawError = z
  .object({ name: z.string(), message: z.string(), stackTrace: z.string().optional() })
  .catch({ name: "", message: "none" });

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
