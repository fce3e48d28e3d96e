// POST /api/v1/runs/:id/cancel and /rerun, POST /api/v1/workflows/:slug/pause and /resume, DELETE
// /api/v1/workflows/:slug. They need a key without limits.

import type { RunChange, WorkflowChange } from "../../shared/contracts/environment.ts";
import { failure, jsonText } from "../../shared/kernel/answers.ts";
import type { Ingress } from "./call-environment.ts";

export function cancelRun({ params, call }: Ingress): Promise<Response> {
  return call(
    "all",
    (environment, keyId) => environment.cancelRun(keyId, params.id ?? ""),
    (change) => runChanged(change, 200),
  );
}

export function rerunRun({ params, call }: Ingress): Promise<Response> {
  return call(
    "all",
    (environment, keyId) => environment.rerunRun(keyId, params.id ?? ""),
    (change) => runChanged(change, 201),
  );
}

export const changeWorkflow =
  (change: WorkflowChange) =>
  ({ params, call }: Ingress): Promise<Response> => {
    const slug = params.slug ?? "";
    return call(
      "all",
      (environment, keyId) => environment.changeWorkflow(keyId, slug, change),
      (changed) => {
        if (changed === "not found") return failure(404, "Workflow not found");
        if (changed === "connected") return failure(409, "Hosts serve this workflow. Stop them, then deregister it.");
        return change === "deregister"
          ? new Response(null, { status: 204 })
          : Response.json({ slug, paused: change === "pause" });
      },
    );
  };

function runChanged(change: RunChange, status: number): Response {
  if ("done" in change) return jsonText(change.done, { status });
  switch (change.failed) {
    case "not found":
      return failure(404, "Run not found");
    case "ended":
      return failure(409, "The run has ended already.");
    case "forgotten":
      return failure(
        409,
        "The run is kept in Postgres only: its event is no longer in the environment. Send the event again.",
      );
    case "gone":
      return failure(409, "The run's workflow is deregistered. Connect a host that registers it, then run it again.");
  }
}
