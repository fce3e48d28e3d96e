// From a bearer key to the environment it belongs to. The tag is checked before any object is touched, so a key that
// was made up wakes nothing; whether a genuine key is active, the object says in the call that does the work.
//
// A refusal by the object is remembered for a while, by key id: a refused client tries again every 3 seconds for ever,
// and a revocation is for good. An acceptance is never remembered. Tests: tests/workerd/refusals.test.ts.

import { bearerToken, verifyApiKey } from "../../shared/ids/keys.ts";
import { now } from "../../shared/kernel/clock.ts";
import { REFUSAL_REMEMBERED_MS, REFUSALS_REMEMBERED, VERIFIED_REMEMBERED } from "../../shared/kernel/limits.ts";
import { type Env, keySecrets } from "../env.ts";

export interface Caller {
  readonly environmentId: string;
  readonly keyId: string;
  readonly secretVersion: number;
}

/**
 * Keys whose tag this isolate has verified. What a tag proves never changes while the secrets are the same, and an
 * isolate knows no others; whether the key is active is asked of its environment every time.
 */
const verified = new Map<string, Caller>();

/** Refused keys of this isolate, by environment and key id, with the time until which they are remembered. */
const refusals = new Map<string, number>();

const nameOf = ({ environmentId, keyId }: Caller): string => `${environmentId} ${keyId}`;

/** Who calls, or null for every kind of key that is not good. */
export async function authenticate(env: Env, authorization: string | null): Promise<Caller | null> {
  const token = bearerToken(authorization);
  if (token === null) return null;
  const caller = verified.get(token) ?? (await verifyApiKey(await keySecrets(env), token));
  if (caller === null) return null;
  if (!verified.has(token)) rememberVerified(token, caller);
  const until = refusals.get(nameOf(caller));
  return until !== undefined && until > now() ? null : caller;
}

function rememberVerified(token: string, caller: Caller): void {
  if (verified.size >= VERIFIED_REMEMBERED) forgetOldest(verified);
  verified.set(token, caller);
}

function forgetOldest(memory: Map<string, unknown>): void {
  const [oldest] = memory.keys();
  if (oldest !== undefined) memory.delete(oldest);
}

/** Remembers that the object refused this key. */
export function rememberRefusal(caller: Caller): void {
  if (refusals.size >= REFUSALS_REMEMBERED) forgetOldest(refusals);
  refusals.delete(nameOf(caller));
  refusals.set(nameOf(caller), now() + REFUSAL_REMEMBERED_MS);
}
