// /ws: a host opens its connection. Every refusal is made before AUTHENTICATED, as a close with 4001 and a reason,
// since the reference client prints that and would show a plain 401 only as "code 1006".

import { CONNECT_KEY_HEADER, CONNECT_VERSION_HEADER } from "../../shared/contracts/environment.ts";
import { failure } from "../../shared/kernel/answers.ts";
import { errorName, log } from "../../shared/kernel/log.ts";
import type { Env } from "../env.ts";
import { afterBadKey } from "../platform/rate-limits.ts";
import { authenticate, rememberRefusal } from "./authenticate.ts";

const REFUSED_CLOSE_CODE = 4001;
const INVALID_KEY = "Invalid or missing API key. Set TRIGGER_API_KEY to a key of this router.";

export async function connectHost(env: Env, request: Request): Promise<Response> {
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
    return failure(426, "This is the address for hosts. Connect with a WebSocket.");
  }
  const caller = await authenticate(env, request.headers.get("authorization"));
  if (caller === null) return afterBadKey(env, request, refuse(INVALID_KEY));

  const headers = new Headers(request.headers);
  headers.delete("authorization");
  headers.set(CONNECT_KEY_HEADER, caller.keyId);
  headers.set(CONNECT_VERSION_HEADER, String(caller.secretVersion));
  let response: Response;
  try {
    response = await env.ENVIRONMENT.getByName(caller.environmentId).fetch(new Request(request.url, { headers }));
  } catch (error) {
    log("error", "environment call failed", { name: errorName(error) });
    return refuse("The environment could not be reached. The client will try again.");
  }
  if (response.status === 401) {
    rememberRefusal(caller);
    return afterBadKey(env, request, refuse(INVALID_KEY));
  }
  if (response.status === 403) return refuse("This API key may not connect workflows: it lacks workflows:connect.");
  return response;
}

/** Accepts the upgrade only to close it. A reason has 123 bytes at most. */
function refuse(reason: string): Response {
  const { 0: client, 1: server } = new WebSocketPair();
  server.accept();
  server.close(REFUSED_CLOSE_CODE, reason);
  return new Response(null, { status: 101, webSocket: client });
}
