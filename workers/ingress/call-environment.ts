// One way from a route to the Environment object: authenticate, call, turn a refusal into its answer.

import type { Answer, EnvironmentCalls, NeededScope } from "../../shared/contracts/environment.ts";
import { failure, unauthorized } from "../../shared/kernel/answers.ts";
import { errorName, log } from "../../shared/kernel/log.ts";
import type { Env } from "../env.ts";
import { callWithRetry } from "../platform/call-object.ts";
import { afterBadKey } from "../platform/rate-limits.ts";
import { HISTORY_AWAY, HistoryAway } from "../reading/archive-binding.ts";
import { withoutScope } from "./answers.ts";
import { type Caller, rememberRefusal } from "./authenticate.ts";

/** An authenticated request, and the way to the environment of its key. */
export interface Ingress {
  readonly request: Request;
  readonly url: URL;
  readonly params: Readonly<Record<string, string>>;
  /** The environment of the key. */
  readonly environmentId: string;
  /** Calls the environment of the key. A key that is not active there gets the same 401 as one that was made up. */
  readonly call: <T>(
    scope: NeededScope,
    work: (environment: EnvironmentCalls, keyId: string) => Promise<Answer<T>>,
    answer: (value: T) => Response | Promise<Response>,
  ) => Promise<Response>;
  /** Refuses a request for its form. A key that is not active is refused first, like everywhere. */
  readonly refuse: (scope: NeededScope, refusal: Response) => Promise<Response>;
}

export function ingressFor(env: Env, caller: Caller, request: Request, params: Record<string, string>): Ingress {
  const call: Ingress["call"] = async (scope, work, answer) => {
    const result = await calling(() => work(env.ENVIRONMENT.getByName(caller.environmentId), caller.keyId));
    if (result === "unavailable") {
      return failure(
        503,
        "The environment could not be reached. Send the request again; an event with the same id is routed once.",
      );
    }
    if (result.ok) {
      try {
        return await answer(result.value);
      } catch (error) {
        if (error instanceof HistoryAway) return failure(503, HISTORY_AWAY);
        throw error;
      }
    }
    if (result.refused === "scope") return withoutScope(scope);
    rememberRefusal(caller);
    return afterBadKey(env, request, unauthorized());
  };
  return {
    request,
    url: new URL(request.url),
    params,
    environmentId: caller.environmentId,
    call,
    refuse: (scope, refusal) =>
      call(
        scope,
        (environment, keyId) => environment.checkKey(keyId, scope),
        () => refusal,
      ),
  };
}

/**
 * Calls an object; tried once more on a fresh stub when the platform says that it may be. Every call is idempotent or
 * carries an id that makes it so, except an event without an id, whose sender sees at most a second event.
 */
async function calling<T>(work: () => Promise<T>): Promise<T | "unavailable"> {
  try {
    return await callWithRetry(work);
  } catch (error) {
    log("error", "environment call failed", { name: errorName(error) });
    return "unavailable";
  }
}
