// From a bearer key to the environment it belongs to. The tag is checked before any object is touched, so a key that
// was made up wakes nothing; whether a genuine key is active, the object says in the call that does the work.
//
// A refusal by the object is remembered for a while, by key id: a refused client tries again every 3 seconds for ever,
// and a revocation is for good. An acceptance is never remembered. Tests: tests/workerd/refusals.test.ts.
import { now } from "../../shared/clock.ts";
import { bearerToken, verifyApiKey } from "../../shared/keys.ts";
import { REFUSAL_REMEMBERED_MS, REFUSALS_REMEMBERED } from "../../shared/limits.ts";
import { type Env, keySecrets } from "../env.ts";

export interface Caller {
  readonly environmentId: string;
  readonly keyId: string;
  readonly secretVersion: number;
}

/** Refused keys of this isolate, by environment and key id, with the time until which they are remembered. */
const refusals = new Map<string, number>();

const nameOf = ({ environmentId, keyId }: Caller): string => `${environmentId} ${keyId}`;

/** Who calls, or null for every kind of key that is not good. */
export async function authenticate(env: Env, authorization: string | null): Promise<Caller | null> {
  const token = bearerToken(authorization);
  if (token === null) return null;
  const caller = await verifyApiKey(await keySecrets(env), token);
  if (caller === null) return null;
  const until = refusals.get(nameOf(caller));
  return until !== undefined && until > now() ? null : caller;
}

/** Remembers that the object refused this key. */
export function rememberRefusal(caller: Caller): void {
  if (refusals.size >= REFUSALS_REMEMBERED) {
    const [oldest] = refusals.keys();
    if (oldest !== undefined) refusals.delete(oldest);
  }
  refusals.delete(nameOf(caller));
  refusals.set(nameOf(caller), now() + REFUSAL_REMEMBERED_MS);
}
