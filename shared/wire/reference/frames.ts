// The two layers of the reference client's wire: frames (MESSAGE, ACK) and, inside a MESSAGE, calls and responses.
// Parsing never throws: malformed text becomes a tagged failure, and the caller decides what it costs the sender.

/** The server's first frame on an accepted connection. */
export const AUTHENTICATED = "AUTHENTICATED";

export type Frame =
  | { readonly type: "ACK"; readonly id: string }
  | { readonly type: "MESSAGE"; readonly id: string; readonly data: string }
  | { readonly type: "malformed"; readonly reason: "not JSON" | "not of the form" };

export type Message =
  | { readonly kind: "CALL"; readonly id: string; readonly method: string; readonly data: unknown }
  | { readonly kind: "RESPONSE"; readonly id: string; readonly method: string; readonly data: unknown }
  | { readonly kind: "malformed"; readonly reason: "not JSON" | "not of the form" };

/** Longest id of a frame or call that is kept and returned; the reference client's have 36 and 64 characters. */
const ID_MAX_CHARS = 256;

function parseObject(text: string): Record<string, unknown> | "not JSON" | "not of the form" {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "not JSON";
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "not of the form";
  return value as Record<string, unknown>;
}

function isId(value: unknown): value is string {
  return typeof value === "string" && value.length <= ID_MAX_CHARS;
}

/** Parses a text frame. */
export function parseFrame(text: string): Frame {
  const value = parseObject(text);
  if (typeof value === "string") return { type: "malformed", reason: value };
  if (!isId(value.id)) return { type: "malformed", reason: "not of the form" };
  if (value.type === "ACK") return { type: "ACK", id: value.id };
  if (value.type === "MESSAGE" && typeof value.data === "string") {
    return { type: "MESSAGE", id: value.id, data: value.data };
  }
  return { type: "malformed", reason: "not of the form" };
}

/** Parses the `data` of a MESSAGE. */
export function parseMessage(data: string): Message {
  const value = parseObject(data);
  if (typeof value === "string") return { kind: "malformed", reason: value };
  const { id, kind, methodName } = value;
  if (!isId(id) || typeof methodName !== "string") return { kind: "malformed", reason: "not of the form" };
  if (kind === "CALL" || kind === "RESPONSE") return { kind, id, method: methodName, data: value.data };
  return { kind: "malformed", reason: "not of the form" };
}

export function ackFrame(id: string): string {
  return JSON.stringify({ type: "ACK", id });
}

export function messageFrame(id: string, data: string): string {
  return JSON.stringify({ type: "MESSAGE", id, data });
}

export function responseMessage(id: string, method: string, data: unknown): string {
  return JSON.stringify({ id, kind: "RESPONSE", methodName: method, data });
}

/** A call whose `data` is already JSON text, so that a stored payload is never parsed and written again. */
export function callMessage(id: string, method: string, dataJson: string): string {
  return `{"id":${JSON.stringify(id)},"kind":"CALL","methodName":${JSON.stringify(method)},"data":${dataJson}}`;
}

/**
 * The ids in a frame that is too large to parse, so that its sender can be answered and its run ended. The reference
 * client writes the ids first and the method last: `{"id":…,"data":"{\"id\":…,\"kind\":\"CALL\",\"data\":{\"runId\":…`.
 */
export function idsOfOversizedFrame(text: string): { frame?: string; call?: string; run?: string; method?: string } {
  const head = text.slice(0, 2048);
  const frame = /"id":"([\w.:-]{1,64})"/.exec(head)?.[1];
  const call = /\\"id\\":\\"([\w.:-]{1,128})\\"/.exec(head)?.[1];
  const run = /\\"runId\\":\\"(run_[0-9A-Za-z]{1,64})\\"/.exec(head)?.[1];
  const method = /\\"methodName\\":\\"(\w{1,64})\\"/.exec(head + text.slice(-2048))?.[1];
  return { ...(frame && { frame }), ...(call && { call }), ...(run && { run }), ...(method && { method }) };
}
