// How often one may ask: by address, by API key, and by address for credentials that are no good. The platform counts,
// per location and approximately, with the limits of wrangler.toml. A key or an address beyond its limit gets 429 and the
// seconds to wait. Connecting with a good key is never limited: one deploy reconnects every host at once.
import type { MiddlewareHandler } from "hono";
import { now } from "../../shared/kernel/clock.ts";
import { type Env, parseRateLimitSettings } from "../env.ts";

export type LimitName = "ADDRESS_LIMIT" | "KEY_LIMIT" | "FAILURE_LIMIT";

/** The periods of wrangler.toml; the platform knows 10 and 60 seconds only. */
const PERIOD_S: Readonly<Record<LimitName, 10 | 60>> = { ADDRESS_LIMIT: 10, KEY_LIMIT: 10, FAILURE_LIMIT: 60 };

/** Counts one request. True when it is one too many; never when limits are off, and when they cannot be counted. */
export async function isTooMany(env: Env, name: LimitName, key: string): Promise<boolean> {
  if (parseRateLimitSettings(env).RATE_LIMITS === "off") return false;
  try {
    return (await env[name]?.limit({ key }))?.success === false;
  } catch {
    return false;
  }
}

export function tooMany(name: LimitName): Response {
  const seconds = PERIOD_S[name];
  return Response.json(
    { error: `Too many requests. Wait ${seconds} seconds, then send it again.` },
    { status: 429, headers: { "Retry-After": String(seconds) } },
  );
}

/** For every route below /api and /webhooks. */
export const limitByAddress: MiddlewareHandler<{ Bindings: Env }> = async (c, next) => {
  if (await isTooMany(c.env, "ADDRESS_LIMIT", addressOf(c.req.raw))) return tooMany("ADDRESS_LIMIT");
  return next();
};

/** The answer to an API key that is no good: as it is, or 429 when too many came from this address. */
export async function afterBadKey(env: Env, request: Request, refusal: Response): Promise<Response> {
  const tooOften = await isTooMany(env, "FAILURE_LIMIT", `key ${addressOf(request)}`);
  return tooOften ? tooMany("FAILURE_LIMIT") : refusal;
}

/** Addresses of this isolate that guess at tokens or passwords, with the time until which they are not listened to. */
const guessing = new Map<string, number>();
const GUESSING_REMEMBERED = 10_000;

/**
 * The answer to a token or password that is no good. Beyond the limit the address is not listened to for a while: to
 * check these costs a query or a slow digest, where a key's tag costs nothing.
 */
export async function afterBadGuess(env: Env, request: Request, refusal: Response): Promise<Response> {
  const address = addressOf(request);
  if (!(await isTooMany(env, "FAILURE_LIMIT", `person ${address}`))) return refusal;
  if (guessing.size >= GUESSING_REMEMBERED) guessing.clear();
  guessing.set(address, now() + PERIOD_S.FAILURE_LIMIT * 1000);
  return tooMany("FAILURE_LIMIT");
}

/** Whether a token or password from this address is not even looked at. A session goes on. */
export function isGuessing(request: Request): boolean {
  return (guessing.get(addressOf(request)) ?? 0) > now();
}

/** The caller's address as Cloudflare tells it; of IPv6 the first 64 bits, since one customer has at least so many. */
export function addressOf(request: Request): string {
  const address = request.headers.get("cf-connecting-ip") ?? "unknown";
  return address.includes(":") ? firstHalf(address) : address;
}

function firstHalf(address: string): string {
  const [head = "", tail] = address.toLowerCase().split("::");
  const groups = head === "" ? [] : head.split(":");
  const rest = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - groups.length - rest.length);
  const all = [...groups, ...Array<string>(zeros).fill("0"), ...rest];
  return `${all
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ""))
    .join(":")}::/64`;
}
