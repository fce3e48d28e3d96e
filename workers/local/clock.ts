// The movable clock: GET and POST /local/clock, only if the setting CLOCK is "movable" and the request comes to a
// loopback address. A deployed router is never reached at one, and refuses to run with the setting.
import { z } from "zod";
import { clockFollowers, clockOffset, now, setClockOffset } from "../../shared/kernel/clock.ts";
import { type Env, parseSettings } from "../env.ts";

const LOOPBACK = new Set(["127.0.0.1", "localhost", "[::1]"]);

const Move = z.union(
  [z.strictObject({ advanceMs: z.number().int().min(0) }), z.strictObject({ to: z.iso.datetime({ offset: true }) })],
  {
    error: "send {advanceMs: whole number} or {to: ISO date}",
  },
);

/** True if this request may move the clock. */
export function clockIsMovable(env: Env, url: URL): boolean {
  return parseSettings(env).CLOCK === "movable" && LOOPBACK.has(url.hostname);
}

/** True if a deployed router has the local setting: it then refuses every request. */
export function clockIsMisplaced(env: Env, url: URL): boolean {
  return parseSettings(env).CLOCK === "movable" && !LOOPBACK.has(url.hostname);
}

/** Moves the clock forward and has every object run its due work. Returns the new time when all have. */
export async function moveClock(env: Env, request: Request): Promise<Response> {
  const parsed = Move.safeParse(await request.json().catch(() => null));
  if (!parsed.success)
    return Response.json({ error: `The clock was not moved: ${parsed.error.issues[0]?.message}` }, { status: 422 });
  const ahead = "advanceMs" in parsed.data ? parsed.data.advanceMs : Date.parse(parsed.data.to) - now();
  if (ahead < 0) return Response.json({ error: "The clock only moves forward." }, { status: 422 });
  setClockOffset(clockOffset() + ahead);
  await Promise.all(clockFollowers().map((name) => followerOf(env, name).clockMoved()));
  return readClock();
}

function followerOf(env: Env, name: string): { clockMoved(): Promise<void> } {
  return name.startsWith("source_") ? env.WEBHOOK_SOURCE.getByName(name) : env.ENVIRONMENT.getByName(name);
}

export function readClock(): Response {
  return Response.json({ now: new Date(now()).toISOString(), offsetMs: clockOffset() });
}
