// When each key was last used, to the minute, without a row for a use. A row is written at most once per key and minute,
// so a key that is busy all month costs 43,200 rows, about 4 cents; a key that is not used costs nothing. A host's key is
// in use for as long as its socket is open, which writes nothing while it lasts.

const MINUTE_MS = 60_000;

export class KeyUses {
  /** Unix milliseconds of a whole minute, by key id. */
  readonly #minutes = new Map<string, number>();

  load(sql: SqlStorage): void {
    this.#minutes.clear();
    for (const { id, used_at } of sql.exec<{ id: string; used_at: number }>("SELECT id, used_at FROM key_uses")) {
      this.#minutes.set(id, used_at);
    }
  }

  /** Notes that the key is used now. */
  note(sql: SqlStorage, keyId: string, now: number): void {
    const minute = wholeMinute(now);
    if ((this.#minutes.get(keyId) ?? 0) >= minute) return;
    this.#minutes.set(keyId, minute);
    sql.exec("INSERT OR REPLACE INTO key_uses (id, used_at) VALUES (?, ?)", keyId, minute);
  }

  /** The last use of every key that ever was used; `connected` are the keys with an open socket, in use now. */
  all(connected: Iterable<string>, now: number): Record<string, number> {
    const uses = Object.fromEntries(this.#minutes);
    for (const keyId of connected) uses[keyId] = wholeMinute(now);
    return uses;
  }
}

function wholeMinute(now: number): number {
  return Math.floor(now / MINUTE_MS) * MINUTE_MS;
}
