// The stateless entrypoints of this same script, as its objects call them.
import type { ArchiveRpc } from "../../shared/contracts/archive.ts";
import type { OutgoingRpc } from "../../shared/wire/reference/fetch.ts";

export interface Entrypoints {
  /** Calls the user's targets. */
  readonly OutgoingFetch: OutgoingRpc;
  /** Writes history to Postgres and reads it. */
  readonly Archive: ArchiveRpc;
}

export function entrypointsOf(ctx: DurableObjectState): Entrypoints {
  // `ctx.exports` is typed by the script's own exports, which only workers/index.ts may import.
  return ctx.exports as unknown as Entrypoints;
}
