// START_WORKFLOW_RUN: the host is about to call the user's code. The socket's attachment remembers it, so it costs no row.
import { StartRun } from "../../../../../shared/wire/reference/host-calls.ts";
import { logTransition } from "../../../runs/run-rows.ts";
import { type RunCallHandler, runCall } from "./call.ts";

const call = runCall(StartRun, ({ context, turn, host, held, now }) => {
  if (held.startedAt !== null) return true;
  turn.apply(() => context.hosts.held.noteStart(held.run, now));
  const workflow = host.registration && context.workflows.byNumber(host.registration.workflow);
  logTransition(context, turn, held.run, workflow?.slug, "RUNNING");
  return true;
});

export const startRun: RunCallHandler = { ...call, inMemory: true };
