// INITIALIZE_DELAY: `waitFor` and `waitUntil`. A replay of the run does not change the first due time.
import { DELAY_MAX_MS } from "../../../../../shared/kernel/limits.ts";
import { InitializeDelay, type Wait } from "../../../../../shared/wire/reference/host-calls.ts";
import { requestAnswer } from "../../../runs/pending-answers.ts";
import { endRun } from "../../../runs/run-rows.ts";
import { runCall } from "./call.ts";

export const initializeDelay = runCall(InitializeDelay, ({ context, turn, host, held, data, now }) => {
  const dueAt = delayEnd(data.wait, now);
  if (dueAt === null) {
    const error = {
      name: "InvalidDelay",
      message: "a delay must be a number of at most 366 days, or a date within that time",
    };
    endRun(context, turn, held.run, { status: "ERROR", error }, now);
    return false;
  }
  requestAnswer(context, turn, host, held, {
    run: held.run,
    kind: "DURABLE_DELAY",
    key: data.key,
    attempt: held.attempt,
    now,
    dueAt,
    detail: { delayUntil: new Date(dueAt).toISOString() },
  });
  return true;
});

/** Time at which the delay ends; now for a time that has passed. Null for a delay that is too long or no number. */
export function delayEnd(wait: Wait, now: number): number | null {
  if (wait.type === "SCHEDULE_FOR") {
    const at = Date.parse(wait.scheduledFor);
    return at > now + DELAY_MAX_MS ? null : Math.max(now, at);
  }
  const { seconds = 0, minutes = 0, hours = 0, days = 0 } = wait;
  const ms = (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000;
  return Number.isFinite(ms) && ms <= DELAY_MAX_MS ? now + Math.max(0, Math.ceil(ms)) : null;
}
