// Who may set up organizations over HTTP: whoever holds the deployment's SETUP_TOKEN. Without that setting there is no
// such route. The comparison takes the same time whatever was sent: it looks at digests, whole.
import type { MiddlewareHandler } from "hono";
import { bearerToken } from "../../shared/keys.ts";
import { type Env, parseSetupSettings } from "../env.ts";
import { nothingHere, unauthorized } from "./answers.ts";

export const requireSetupToken: MiddlewareHandler<{ Bindings: Env }> = async (c, next) => {
  const { SETUP_TOKEN } = parseSetupSettings(c.env);
  if (SETUP_TOKEN === undefined) return nothingHere();
  const token = bearerToken(c.req.header("authorization") ?? null);
  if (token === null || !(await sameText(token, SETUP_TOKEN))) return unauthorized();
  return next();
};

async function sameText(a: string, b: string): Promise<boolean> {
  const [digestA, digestB] = await Promise.all([a, b].map(digestOf));
  return digestA !== undefined && digestB !== undefined && crypto.subtle.timingSafeEqual(digestA, digestB);
}

function digestOf(text: string): Promise<ArrayBuffer> {
  return crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
}
