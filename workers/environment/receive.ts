// What happens to a frame that a host sends. Whatever it is, it disturbs no other connection, and it closes its own
// never: the reference client comes back at once after a close, and what recurs would recur for ever. A frame that a
// replay of its run would only bring again ends that run with an error instead.
import { decodeBase62Integer } from "../../shared/base62.ts";
import { utf8Length } from "../../shared/canonical-json.ts";
import { FRAME_MAX_BYTES } from "../../shared/limits.ts";
import {
  ackFrame,
  idsOfOversizedFrame,
  type Message,
  messageFrame,
  parseFrame,
  parseMessage,
  responseMessage,
} from "../../shared/wire/frames.ts";
import { runIdOf } from "../../shared/wire/host-calls.ts";
import { heldBy, type RunCallHandler } from "./calls/call.ts";
import { completeRun } from "./calls/complete-run.ts";
import { failRun } from "./calls/fail-run.ts";
import { registerHost } from "./calls/register-host.ts";
import { sendLog } from "./calls/send-log.ts";
import { startRun } from "./calls/start-run.ts";
import type { Turn } from "./commits.ts";
import type { EnvironmentContext } from "./context.ts";
import type { HeldRun, Host } from "./hosts.ts";
import { endRun } from "./runs.ts";

const RUN_CALLS: Readonly<Record<string, RunCallHandler>> = {
  START_WORKFLOW_RUN: startRun,
  COMPLETE_WORKFLOW_RUN: completeRun,
  SEND_WORKFLOW_ERROR: failRun,
  SEND_LOG: sendLog,
};

/** An acknowledgement as the reference client writes it; most frames are these, and they need no more reading. */
const ACK_START = '{"type":"ACK"';

/** Takes a frame from a host's socket. Answers when everything it asks for is stored. */
export async function receiveFrame(
  context: EnvironmentContext,
  host: Host,
  received: string | ArrayBuffer,
  clock: () => number,
): Promise<void> {
  if (typeof received !== "string") return countRefused(context, host);
  if (received.startsWith(ACK_START)) return;
  // Every character takes at least a byte and at most three.
  if (received.length > FRAME_MAX_BYTES / 3 && utf8Length(received) > FRAME_MAX_BYTES) {
    return receiveOversized(context, host, received, clock);
  }
  const frame = parseFrame(received);
  if (frame.type === "ACK") return;
  if (frame.type === "malformed") return countRefused(context, host);

  const message = parseMessage(frame.data);
  if (message.kind === "malformed") {
    send(host, ackFrame(frame.id));
    return countRefused(context, host);
  }
  if (message.kind === "RESPONSE") {
    send(host, ackFrame(frame.id));
    const offered = offeredRun(host, message.id);
    if (offered)
      await context.commits.run((turn) => answerToOffer(context, turn, host, offered, message.data, clock()));
    return;
  }
  const respond = (answer: unknown): void => {
    send(host, ackFrame(frame.id));
    send(host, messageFrame(`r.${message.id}`, responseMessage(message.id, message.method, answer)));
  };
  try {
    await context.commits.run((turn) => {
      const answer = answerCall(context, turn, host, message, clock());
      // Before the offers of this turn: the reference client must know its registration when its first run arrives.
      turn.afterwards(() => respond(answer));
    });
  } catch {
    respond(false); // Logged by the commit. The others in it are not affected.
  }
}

type CallMessage = Extract<Message, { kind: "CALL" }>;

function answerCall(context: EnvironmentContext, turn: Turn, host: Host, call: CallMessage, now: number): unknown {
  const { id: callId, method, data } = call;
  if (method === "INITIALIZE_HOST_V2") return registerHost({ context, turn, host, callId, data, now });
  if (method === "INITIALIZE_HOST") {
    const answer = registerHost({ context, turn, host, callId, data, now });
    return answer.type === "success" ? { type: "success" } : answer;
  }
  const known = Object.hasOwn(RUN_CALLS, method) ? RUN_CALLS[method] : undefined;
  const answer = known?.({ context, turn, host, data, now });
  if (answer !== undefined && answer !== "malformed") return answer;

  turn.apply(() => countRefused(context, host));
  const runId = runIdOf(data);
  const held = runId === undefined ? undefined : heldBy(context, host, runId);
  if (held) {
    const message = known
      ? `the host's ${method} was not of its form`
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
    turn.apply(() => countRefused(context, host));
    const held = ids.run === undefined ? undefined : heldBy(context, host, ids.run);
    if (held) {
      const message = `the host sent a frame of more than ${FRAME_MAX_BYTES} bytes for this run`;
      endRun(context, turn, held.run, { status: "ERROR", error: { name: "FrameTooLarge", message } }, clock());
    }
    turn.afterwards(() => {
      if (ids.frame) send(host, ackFrame(ids.frame));
      if (ids.call) send(host, messageFrame(`r.${ids.call}`, responseMessage(ids.call, "", false)));
    });
  });
}

/** The held run that a RESPONSE answers the offer of, if its id names one and the attempt is the current one. */
function offeredRun(host: Host, responseId: string): HeldRun | undefined {
  const [kind, run, attempt] = responseId.split(".");
  if (kind !== "offer" || run === undefined) return undefined;
  const number = decodeBase62Integer(run, 9);
  const held = number === null ? undefined : host.held.get(number);
  return held && String(held.attempt) === attempt ? held : undefined;
}

function answerToOffer(
  context: EnvironmentContext,
  turn: Turn,
  host: Host,
  held: HeldRun,
  answer: unknown,
  now: number,
): void {
  if (answer === false) {
    const error = { name: "Refused", message: "the host refused to take the run" };
    endRun(context, turn, held.run, { status: "ERROR", error }, now);
    return;
  }
  turn.apply(() => {
    held.taken = true;
    context.hosts.touch(host);
  });
}

function countRefused(context: EnvironmentContext, host: Host): void {
  host.refusedFrames++;
  context.hosts.touch(host);
}

function send(host: Host, frame: string): void {
  if (host.socket.readyState === WebSocket.OPEN) host.socket.send(frame);
}
