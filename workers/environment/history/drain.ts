// One look after history: everything that has ended goes to Postgres, batch by batch, and what is old and archived is
// forgotten. Between two turns of it the object does whatever else there is to do.
import type { ArchiveRpc } from "../../../shared/contracts/archive.ts";
import { errorName, log } from "../../../shared/kernel/log.ts";
import type { EnvironmentContext } from "../state/context.ts";
import { noteArchived, noteArchiveFailed } from "../storage/history-cursor.ts";
import { applyProgress, earlierParts, endTimedOut, nextBatch } from "./batch.ts";
import { forgetSlice } from "./forget.ts";

const DAY_MS = 24 * 3_600_000;

export interface Drained {
  readonly runs: number;
  readonly events: number;
  /** False when Postgres could not be reached; it is tried again. */
  readonly complete: boolean;
}

/** Never rejects for Postgres's sake. `gone` tells when the object has been deleted meanwhile. */
export async function drain(
  context: EnvironmentContext,
  archive: ArchiveRpc,
  { patient, gone }: { patient: boolean; gone: () => boolean },
): Promise<Drained> {
  const { environmentId, retention } = context.identity;
  const { now, machineNow } = context.clock;
  const sums = { runs: 0, events: 0 };
  let complete = true;
  try {
    while (!gone() && (await context.commits.run((turn) => endTimedOut(context, turn, now()))));
    const look = { eventsAfter: 0, runsAfter: 0 };
    const next = () => nextBatch(context, look, patient, now());
    for (let batch = next(); batch && !gone(); batch = next()) {
      const begun = machineNow();
      const { rows, progress } = batch;
      for (const part of earlierParts(context, batch)) {
        await archive.store(environmentId, { events: [], runs: [], steps: [part] });
      }
      if (rows.events.length + rows.runs.length > 0) await archive.store(environmentId, rows);
      if (gone()) break;
      await context.commits.run(() => applyProgress(context, progress));
      await rest(context, machineNow() - begun);
      sums.runs += rows.runs.length;
      sums.events += rows.events.length;
    }
    if (sums.runs + sums.events > 0) {
      await archive.forget({ environmentId, before: now() - retention.historyDays * DAY_MS, now: now() });
    }
  } catch (error) {
    complete = false;
    log("warn", "history not archived", { environment: environmentId, name: errorName(error) });
  }
  if (gone()) return { ...sums, complete: false };
  const sweep = { runsAfter: 0, eventsAfter: 0 };
  while (!gone() && (await context.commits.run(() => forgetSlice(context, sweep, now()))));
  if (!gone()) {
    await context.commits.run(() =>
      complete ? noteArchived(context, sums.runs + sums.events > 0, now()) : noteArchiveFailed(context, now()),
    );
  }
  return { ...sums, complete };
}

/** As long as the batch took, so that half of the time is for those who send events: nobody waits for history. */
function rest({ timers }: EnvironmentContext, ms: number): Promise<void> {
  return new Promise((resolve) => timers.after(ms, resolve));
}
