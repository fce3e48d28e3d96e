// Receives the frames of hosts. No frame disturbs another connection, and none closes its own: the reference client comes
// back at once after a close, so a frame that recurs would do so for ever. If a replay of a run would only bring the same
// bad frame again, the run ends with an error.
import { utf8Length } from "../../../../shared/kernel/canonical-json.ts";
import { FRAME_MAX_BYTES } from "../../../../shared/kernel/limits.ts";
import {
  ackFrame,
  idsOfOversizedFrame,
  type Message,
  messageFrame,
  parseFrame,
  parseMessage,
  responseMessage,
} from "../../../../shared/wire/reference/frames.ts";
import { runIdOf } from "../../../../shared/wire/reference/host-calls.ts";
import { recordHeartbeat } from "../../runs/liveness.ts";
import { endRun } from "../../runs/run-rows.ts";
import { StepTooLarge } from "../../runs/step-rows.ts";
import { AT_ONCE, type Turn } from "../../state/commits.ts";
import type { EnvironmentContext } from "../../state/context.ts";
import { type HeldRun, type Host, sendFrame } from "../../state/host.ts";
import { type RunCallHandler, runOnHost } from "./calls/call.ts";
import { completeRun } from "./calls/complete-run.ts";
import { failRun } from "./calls/fail-run.ts";
import { initializeDelay } from "./calls/initialize-delay.ts";
import { kvDelete, kvGet, kvSet } from "./calls/key-value.ts";
import { registerHost } from "./calls/register-host.ts";
import { completeRunOnce, initializeRunOnce } from "./calls/run-once.ts";
import { sendEvent } from "./calls/send-event.ts";
import { sendFetch } from "./calls/send-fetch.ts";
import { sendLog } from "./calls/send-log.ts";
import { sendRequest } from "./calls/send-request.ts";
import { startRun } from "./calls/start-run.ts";
import { offeredRun } from "./encoder.ts";

const RUN_CALLS: Readonly<Record<string, RunCallHandler>> = {
  START_WORKFLOW_RUN: startRun,
  COMPLETE_WORKFLOW_RUN: completeRun,
  SEND_WORKFLOW_ERROR: failRun,
  SEND_LOG: sendLog,
  SEND_EVENT: sendEvent,
  SEND_FETCH: sendFetch,
  SEND_REQUEST: sendRequest,
  INITIALIZE_DELAY: initializeDelay,
  INITIALIZE_RUN_ONCE: initializeRunOnce,
  COMPLETE_RUN_ONCE: completeRunOnce,
  SEND_KV_GET: kvGet,
  SEND_KV_SET: kvSet,
  SEND_KV_DELETE: kvDelete,
};

/** Start of an acknowledgement as the reference client writes it. Most frames are these, and need no more reading. */
const ACK_START = '{"type":"ACK"';

/** Takes a frame from a host's socket. Resolves when everything that the frame asks for is stored. */
export async function receiveFrame(
  context: EnvironmentContext,
  host: Host,
  received: string | ArrayBuffer,
  clock: () => number,
): Promise<void> {
  recordHeartbeat(context, host, clock());
  if (typeof received !== "string") return context.hosts.countRefused(host);
  if (received.startsWith(ACK_START)) return;
  // Every character takes at least a byte and at most three.
  if (received.length > FRAME_MAX_BYTES / 3 && utf8Length(received) > FRAME_MAX_BYTES) {
    return receiveOversized(context, host, received, clock);
  }
  const frame = parseFrame(received);
  if (frame.type === "ACK") return;
  if (frame.type === "malformed") return context.hosts.countRefused(host);

  const message = parseMessage(frame.data);
  if (message.kind === "malformed") {
    sendFrame(host, ackFrame(frame.id));
    return context.hosts.countRefused(host);
  }
  if (message.kind === "RESPONSE") {
    sendFrame(host, ackFrame(frame.id));
    const offered = offeredRun(host, message.id);
    if (offered && message.data !== false) context.hosts.held.noteTaken(offered.run);
    else if (offered) await context.commits.run((turn) => refuseOffer(context, turn, offered, clock()));
    return;
  }
  const respond = (answer: unknown): void => {
    sendFrame(host, ackFrame(frame.id));
    sendFrame(host, messageFrame(`r.${message.id}`, responseMessage(message.id, message.method, answer)));
  };
  try {
    const known = knownCall(message.method);
    if (known?.inMemory) {
      const answer = known.answer({ context, turn: AT_ONCE, host, data: message.data, now: clock(), prepared: null });
      if (answer !== "malformed") return respond(answer);
    }
    const prepared = (await known?.prepare?.(context, message.data)) ?? null;
    await context.commits.run((turn) => {
      let answer: unknown;
      // The answer goes first: the reference client must know its registration before its first run arrives, and must
      // have the answer to a call before the call's result.
      turn.afterwards(() => respond(answer));
      answer = answerCall(context, turn, host, message, prepared, clock());
    });
  } catch (error) {
    // The commit has logged the error and keeps its other operations. Without an answer the reference client reports a
    // call without an answer, which counts as a lost attempt, so the run goes on from its last finished step.
    if (!(error instanceof StepTooLarge || error instanceof RangeError)) return;
    await context.commits.run((turn) => {
      turn.apply(() => context.hosts.countRefused(host));
      endOversizedRun(context, turn, host, message, clock());
    });
    respond(false);
  }
}

/** Ends the run of a step that is too large for a row or nested too deeply: a replay would only bring the step again. */
function endOversizedRun(context: EnvironmentContext, turn: Turn, host: Host, call: CallMessage, now: number): void {
  const held = runOnHost(context, host, runIdOf(call.data) ?? "");
  if (!held) return;
  const message = `the data of ${call.method.slice(0, 64)} is too large to be stored`;
  endRun(context, turn, held.run, { status: "ERROR", error: { name: "StepTooLarge", message } }, now);
}

type CallMessage = Extract<Message, { kind: "CALL" }>;

function knownCall(method: string): RunCallHandler | undefined {
  return Object.hasOwn(RUN_CALLS, method) ? RUN_CALLS[method] : undefined;
}

function answerCall(
  context: EnvironmentContext,
  turn: Turn,
  host: Host,
  call: CallMessage,
  prepared: Uint8Array | null,
  now: number,
): unknown {
  const { id: callId, method, data } = call;
  if (method === "INITIALIZE_HOST_V2") return registerHost({ context, turn, host, callId, data, now });
  if (method === "INITIALIZE_HOST") {
    const answer = registerHost({ context, turn, host, callId, data, now });
    return answer.type === "success" ? { type: "success" } : answer;
  }
  const known = knownCall(method);
  const answer = known?.answer({ context, turn, host, data, now, prepared });
  if (answer !== undefined && answer !== "malformed") return answer;

  turn.apply(() => context.hosts.countRefused(host));
  const runId = runIdOf(data);
  const held = runId === undefined ? undefined : runOnHost(context, host, runId);
  if (held) {
    const message = known
      ? `the data of ${method} did not have the form of that method`
      : `the router does not know the method ${method.slice(0, 64)}`;
    endRun(context, turn, held.run, { status: "ERROR", error: { name: "ProtocolError", message } }, now);
  }
  return false;
}

function receiveOversized(
  context: EnvironmentContext,
  host: Host,
  received: string,
  clock: () => number,
): Promise<void> {
  const ids = idsOfOversizedFrame(received);
  return context.commits.run((turn) => {
    turn.apply(() => context.hosts.countRefused(host));
    const held = ids.run === undefined ? undefined : runOnHost(context, host, ids.run);
    if (held) {
      const message = `the host sent a frame of more than ${FRAME_MAX_BYTES} bytes for this run`;
      endRun(context, turn, held.run, { status: "ERROR", error: { name: "FrameTooLarge", message } }, clock());
    }
    turn.afterwards(() => {
      if (ids.frame) sendFrame(host, ackFrame(ids.frame));
      if (ids.call) sendFrame(host, messageFrame(`r.${ids.call}`, responseMessage(ids.call, ids.method ?? "", false)));
    });
  });
}

function refuseOffer(context: EnvironmentContext, turn: Turn, held: HeldRun, now: number): void {
  const error = { name: "Refused", message: "the host refused to take the run" };
  endRun(context, turn, held.run, { status: "ERROR", error }, now);
}
