// /api/auth/*: the endpoints of better-auth in the table below; every other one gets 404. Both this file and better-auth
// check that a request which changes something comes from a page of this router.
import type { Context } from "hono";
import { failure, methodNotAllowed, nothingHere } from "../../../shared/kernel/answers.ts";
import type { Env } from "../../env.ts";
import { afterBadGuess, isGuessing, tooMany } from "../../platform/rate-limits.ts";
import { makeConsoleServices } from "../control/services.ts";
import { AUTH_PATH, createAuth } from "./better-auth.ts";
import { isFromOurPages } from "./same-origin.ts";

const OFFERED: Readonly<Record<string, "GET" | "POST">> = {
  "/sign-in/email": "POST",
  "/sign-in/social": "POST",
  "/callback/github": "GET",
  "/error": "GET",
  "/one-time-token/generate": "GET",
  "/one-time-token/verify": "POST",
  "/sign-out": "POST",
  "/get-session": "GET",
  "/change-password": "POST",
  "/update-user": "POST",
  "/list-sessions": "GET",
  "/revoke-session": "POST",
  "/revoke-other-sessions": "POST",
};

export async function answerAuth(c: Context<{ Bindings: Env }>): Promise<Response> {
  const { pathname, origin: own } = new URL(c.req.url);
  const method = OFFERED[pathname.slice(AUTH_PATH.length)];
  if (method === undefined) return nothingHere();
  if (c.req.method !== method) return methodNotAllowed(method);
  const origin = c.req.header("origin") ?? null;
  // Checked without a cookie too, so that no other site can sign a visitor in.
  const fetchSite = c.req.header("sec-fetch-site") ?? null;
  if (!isFromOurPages({ method, own, origin, fetchSite })) {
    return failure(
      403,
      "The request does not come from a page of this router. Send an Origin header with its address.",
    );
  }
  if (method === "POST" && isGuessing(c.req.raw)) return tooMany("FAILURE_LIMIT");
  const services = makeConsoleServices(c.env, (work) => c.executionCtx.waitUntil(work));
  const auth = await createAuth(c.env, services.db, own);
  const answer = await auth.handler(c.req.raw);
  return answer.status === 401 ? afterBadGuess(c.env, c.req.raw, answer) : answer;
}
