// SEND_EVENT: `ctx.sendEvent`, and `sendEvent` inside a run. The event goes to the run's own environment, once per run
// and key, and is matched against the workflows that listen for custom events.
import { eventContent } from "../../../../../shared/api/events.ts";
import { EVENT_MAX_BYTES } from "../../../../../shared/kernel/limits.ts";
import { SendEvent } from "../../../../../shared/wire/reference/host-calls.ts";
import { acceptEvent, CUSTOM } from "../../../events/accept-event.ts";
import { noteProgress } from "../../../runs/lost-runs.ts";
import { endRun } from "../../../runs/run-rows.ts";
import { addFinishedStep, findStep } from "../../../runs/step-rows.ts";
import { runCall } from "./call.ts";

const KIND = "CUSTOM_EVENT";

export const sendEvent = runCall(SendEvent, ({ context, turn, held, data, now }) => {
  if (findStep(context, held.run, KIND, data.key)) return true;
  const content = eventContent(data.event);
  if (content === null) {
    const message = `the run sent an event larger than ${EVENT_MAX_BYTES} bytes`;
    endRun(context, turn, held.run, { status: "ERROR", error: { name: "EventTooLarge", message } }, now);
    return false;
  }
  // The step makes the event once, so the event needs no id of a sender and no digest to compare.
  const outcome = acceptEvent(context, turn, { ...content, id: null, digest: new Uint8Array(0) }, CUSTOM, now);
  if (outcome.outcome !== "accepted") return false;
  addFinishedStep(context, {
    run: held.run,
    kind: KIND,
    key: data.key,
    attempt: held.attempt,
    now,
    detail: { event: { id: outcome.event.id, name: content.name } },
    result: null,
  });
  noteProgress(context, turn, held);
  return true;
});
