// One attempt at a user's call: every hop is checked, the response is read up to a limit, and all has a time limit.
import { FETCH_MAX_REDIRECTS, FETCH_TIMEOUT_MS, VALUE_MAX_BYTES } from "../../shared/kernel/limits.ts";
import type { Attempted, FetchedResponse, OutgoingRequest } from "../../shared/wire/reference/fetch.ts";
import { refusedTarget } from "./address.ts";

/** Headers that belong to one origin and do not follow a redirect to another. */
const CREDENTIALS = ["authorization", "cookie", "proxy-authorization"];
/** Headers that the platform sets itself, or that would let a call pass for something else. */
const NOT_FORWARDED = [
  "host",
  "content-length",
  "connection",
  "transfer-encoding",
  "cf-connecting-ip",
  "x-forwarded-for",
];

const failed = (name: string, message: string): Attempted => ({ kind: "failed", error: { name, message } });

/** Makes one call. Never throws: the answer holds the failure, without any part of the request. */
export async function attempt(
  request: OutgoingRequest,
  privateAllowed: boolean,
  now: () => number,
  send: typeof fetch = fetch,
): Promise<Attempted> {
  try {
    return await follow(request, privateAllowed, now, send);
  } catch (error) {
    const timedOut = error instanceof Error && (error.name === "TimeoutError" || error.name === "AbortError");
    if (timedOut) return failed("TimeoutError", `the target did not answer within ${FETCH_TIMEOUT_MS / 1000} s`);
    return failed("FetchError", "the target could not be reached");
  }
}

async function follow(
  request: OutgoingRequest,
  privateAllowed: boolean,
  now: () => number,
  send: typeof fetch,
): Promise<Attempted> {
  const signal = AbortSignal.timeout(FETCH_TIMEOUT_MS);
  let { url: target, method, body } = request;
  if (method === "TRACE") return failed("InvalidMethod", "TRACE cannot be fetched");
  if (method === "GET" || method === "HEAD") body = null;
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (NOT_FORWARDED.includes(name.toLowerCase())) continue;
    try {
      headers.set(name, value);
    } catch {
      return failed("InvalidHeader", "a header's name or value cannot be sent");
    }
  }
  if (body !== null && !headers.has("content-type")) headers.set("content-type", "application/json");

  for (let hop = 0; hop <= FETCH_MAX_REDIRECTS; hop++) {
    if (!URL.canParse(target)) return failed("InvalidUrl", "the URL cannot be read");
    const url = new URL(target);
    const refused = refusedTarget(url, privateAllowed);
    if (refused) return failed("RefusedTarget", refused);
    const response = await send(url.href, { method, headers, body, redirect: "manual", signal });
    const location = response.status >= 300 && response.status < 400 ? response.headers.get("location") : null;
    if (location === null) return await read(response, now);
    await response.body?.cancel();
    const next = URL.parse(location, url);
    if (next === null) return failed("InvalidUrl", "the target redirected to a URL that cannot be read");
    if (next.origin !== url.origin) for (const name of CREDENTIALS) headers.delete(name);
    if (response.status === 303 || ((response.status === 301 || response.status === 302) && method === "POST")) {
      if (method !== "HEAD") method = "GET";
      body = null;
      headers.delete("content-type");
    }
    target = next.href;
  }
  return failed("TooManyRedirects", `the target redirected more than ${FETCH_MAX_REDIRECTS} times`);
}

async function read(response: Response, now: () => number): Promise<Attempted> {
  const text = await readText(response);
  if (text === null) return failed("ResponseTooLarge", `the response has more than ${VALUE_MAX_BYTES} bytes`);
  const fetched: FetchedResponse = {
    status: response.status,
    ok: response.ok,
    headers: Object.fromEntries(response.headers),
    ...(text !== "" && { body: parseBody(text, response.headers.get("content-type")) }),
  };
  return { kind: "response", response: fetched, retryAfterMs: retryAfter(response.headers.get("retry-after"), now()) };
}

/** The body as text, or null if it is larger than a value may be. Leaving the loop cancels the stream. */
async function readText(response: Response): Promise<string | null> {
  const decoder = new TextDecoder();
  let size = 0;
  let text = "";
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > VALUE_MAX_BYTES) return null;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function parseBody(text: string, contentType: string | null): unknown {
  if (!/^[\w.+-]+\/([\w.+-]+\+)?json\b/i.test(contentType ?? "")) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** `Retry-After` in milliseconds from now, by RFC 9110: seconds, or a date. Null if it is missing or neither. */
export function retryAfter(header: string | null, now: number): number | null {
  if (header === null) return null;
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1000;
  if (!HTTP_DATE.test(header.trim())) return null;
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}

/** The three forms of a date in RFC 9110; the date parser alone would read a year into "-5". */
const HTTP_DATE =
  /^([A-Z][a-z]{2,8}, \d{2}[ -][A-Z][a-z]{2}[ -]\d{2,4} [\d:]{8} GMT|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d [\d:]{8} \d{4})$/;
