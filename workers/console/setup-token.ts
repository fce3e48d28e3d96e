// Who may set up organizations over HTTP: whoever holds the deployment's SETUP_TOKEN. Without that setting there is no
// such route.
import type { MiddlewareHandler } from "hono";
import { bearerToken } from "../../shared/keys.ts";
import { type Env, parseSetupSettings } from "../env.ts";
import { nothingHere, unauthorized } from "./answers.ts";
import { sameText } from "./auth/same-text.ts";

export const requireSetupToken: MiddlewareHandler<{ Bindings: Env }> = async (c, next) => {
  const { SETUP_TOKEN } = parseSetupSettings(c.env);
  if (SETUP_TOKEN === undefined) return nothingHere();
  const token = bearerToken(c.req.header("authorization") ?? null);
  if (token === null || !(await sameText(token, SETUP_TOKEN))) return unauthorized();
  return next();
};
