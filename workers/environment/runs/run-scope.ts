import type { EnvironmentContext } from "../state/context.ts";
import type { Host } from "../state/host.ts";
import type { RunScope } from "../state/host-wire.ts";

/** Facts about a host's runs that its client shows or gives to their code. */
export function runScope({ identity, workflows, keyText }: EnvironmentContext, host: Host): RunScope {
  return {
    environment: identity.environmentSlug,
    workflow: host.registration ? (workflows.byNumber(host.registration.workflow)?.slug ?? "") : "",
    organizationId: identity.organizationId,
    apiKey: keyText(host.keyId),
  };
}
