// A delivery's raw bytes as the payload that a workflow gets: JSON as its value, a form as an object, the rest as text.
import { WEBHOOK_BODY_MAX_DEPTH } from "../../shared/kernel/limits.ts";

/**
 * Never throws. JSON is read when the content type says so or says nothing; what is then not JSON is text. Text is read as
 * UTF-8 whatever the content type says, without a byte order mark; bytes that are not UTF-8 become U+FFFD, as a browser
 * has it, and the raw bytes are still with the delivery. `__proto__` is a member like any other; of a member that JSON
 * has twice the last counts, of a form's field that is there twice a list is made.
 */
export function parseBody(contentType: string | null, rawBody: Uint8Array): unknown {
  const text = new TextDecoder().decode(rawBody);
  const type = (contentType ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (type === "" || type === "application/json" || type.endsWith("+json")) {
    const value = parseJson(text);
    return value === undefined ? text : value;
  }
  if (type === "application/x-www-form-urlencoded") return parseForm(text);
  return text;
}

/** GitHub and Slack wrap their JSON into a form of the one field `payload`. */
function parseForm(text: string): unknown {
  const fields = new Map<string, string | string[]>();
  for (const [name, value] of new URLSearchParams(text)) {
    const before = fields.get(name);
    if (before === undefined) fields.set(name, value);
    else if (typeof before === "string") fields.set(name, [before, value]);
    else before.push(value);
  }
  const payload = fields.size === 1 ? fields.get("payload") : undefined;
  const wrapped = typeof payload === "string" ? parseJson(payload) : undefined;
  return typeof wrapped === "object" && wrapped !== null ? wrapped : Object.fromEntries(fields);
}

/** Undefined for what is not JSON, or nested too deep. JSON has no such value. */
function parseJson(text: string): unknown {
  if (depthOf(text) > WEBHOOK_BODY_MAX_DEPTH) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** How deep brackets are nested, those in strings not counted. One pass, whatever the text. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (inString) {
      if (char === "\\") i++;
      else if (char === '"') inString = false;
    } else if (char === '"') inString = true;
    else if (char === "[" || char === "{") deepest = Math.max(deepest, ++depth);
    else if (char === "]" || char === "}") depth--;
  }
  return deepest;
}
