// The way to history, for Workers that read it: the archive's entrypoint of this same script.
import type { ArchiveRpc } from "../../shared/contracts/archive.ts";
import { errorName, log } from "../../shared/kernel/log.ts";

/** Postgres, which has the history, could not be read. */
export class HistoryAway extends Error {
  override readonly name = "HistoryAway";
}
export const HISTORY_AWAY =
  "This is kept in Postgres, which cannot be reached. What is recent can be read all the same; try again in a moment.";

/** Rejects with HistoryAway, also when Postgres is not set. */
export async function readHistory<T>(work: (archive: ArchiveRpc) => Promise<T>): Promise<T> {
  try {
    // Asked for here and not above: what only names this module runs outside of the runtime too.
    const { exports } = (await import("cloudflare:workers")) as unknown as { exports: { Archive: ArchiveRpc } };
    return await work(exports.Archive);
  } catch (error) {
    log("warn", "history not read", { name: errorName(error) });
    throw new HistoryAway();
  }
}
