// Workflows as the API shows them: what is in force, who serves it, and what was refused.
import type { HostDetails, WorkflowDetails } from "../../shared/workflows.ts";
import type { EnvironmentContext } from "./context.ts";
import type { Host } from "./hosts.ts";

interface RefusedRow extends Record<string, SqlStorageValue> {
  slug: string;
  message: string;
  key_id: string;
  at: number;
}

/** All workflows by slug, with those that were only ever refused. */
export function listWorkflows(context: EnvironmentContext): WorkflowDetails[] {
  const refused = new Map(
    context.sql
      .exec<RefusedRow>("SELECT * FROM refused_registrations")
      .toArray()
      .map((row) => [row.slug, { message: row.message, at: new Date(row.at).toISOString(), keyId: row.key_id }]),
  );
  const inForce = context.workflows.list().filter((workflow) => !workflow.deregistered);
  const registered = inForce.map((workflow): WorkflowDetails => {
    const refusal = refused.get(workflow.slug);
    refused.delete(workflow.slug);
    return {
      slug: workflow.slug,
      name: workflow.definition.name,
      version: workflow.version,
      trigger: workflow.definition.trigger,
      triggerTTL: workflow.definition.triggerTTL,
      package: context.workflows.packageOf(workflow.number),
      registeredAt: new Date(workflow.registeredAt).toISOString(),
      changedAt: new Date(workflow.changedAt).toISOString(),
      paused: workflow.paused,
      hosts: [...context.hosts.ofWorkflow(workflow.number)].map(hostDetails),
      ...(refusal && { refused: refusal }),
    };
  });
  const onlyRefused = [...refused].map(
    ([slug, refusal]): WorkflowDetails => ({
      slug,
      name: slug,
      version: null,
      trigger: null,
      triggerTTL: null,
      package: {},
      registeredAt: null,
      changedAt: null,
      paused: false,
      hosts: [],
      refused: refusal,
    }),
  );
  return [...registered, ...onlyRefused].sort((a, b) => (a.slug < b.slug ? -1 : 1));
}

function hostDetails(host: Host): HostDetails {
  return {
    connectedAt: new Date(host.connectedAt).toISOString(),
    keyId: host.keyId,
    running: host.held.size,
    differs: host.registration?.differs ?? [],
    standing: host.standing,
    refusedFrames: host.refusedFrames,
  };
}
