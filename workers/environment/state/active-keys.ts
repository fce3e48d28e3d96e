// Which keys are active in an environment, kept in memory from its table. Promise 5 rests on this check: it is made in
// the same call that does the work, so a revoked key does nothing from the moment the revocation is stored.
import type { ActiveKey, KeyScope, NeededScope, Refusal } from "../../../shared/contracts/environment.ts";

export class ActiveKeys {
  readonly #keys = new Map<string, ActiveKey>();

  load(sql: SqlStorage): void {
    this.#keys.clear();
    for (const row of sql.exec<{ id: string; scopes: string; expires_at: number | null }>("SELECT * FROM keys")) {
      const scopes = JSON.parse(row.scopes) as KeyScope[];
      this.#keys.set(row.id, { id: row.id, scopes, expiresAt: row.expires_at });
    }
  }

  /** When the next key expires, so that its sockets are closed then; null when none does. */
  nextExpiry(now: number): number | null {
    let next: number | null = null;
    for (const { expiresAt } of this.#keys.values()) {
      if (expiresAt !== null && expiresAt > now) next = Math.min(next ?? expiresAt, expiresAt);
    }
    return next;
  }

  /** Null when the key may do this now; else why not. */
  refusal(keyId: string, scope: NeededScope, now: number): Refusal | null {
    const key = this.#keys.get(keyId);
    if (!key || (key.expiresAt !== null && key.expiresAt <= now)) return "key";
    return key.scopes.length === 0 || (scope !== "all" && key.scopes.includes(scope)) ? null : "scope";
  }
}
