// INITIALIZE_HOST and INITIALIZE_HOST_V2: a host registers the workflow that it runs. A refusal is stored and shown, because
// the reference client prints nothing of it. The socket stays open, because after a close the client comes back at once.
import { log } from "../../../../../shared/kernel/log.ts";
import { cronProblem } from "../../../../../shared/kernel/schedule-times.ts";
import { Registration } from "../../../../../shared/wire/reference/host-calls.ts";
import { announceSource } from "../../../notices/source-notices.ts";
import { expireRuns } from "../../../runs/dispatch.ts";
import { requeueLostRuns } from "../../../runs/lost-runs.ts";
import { scheduleWorkflow } from "../../../schedules/registered.ts";
import type { Turn } from "../../../state/commits.ts";
import type { EnvironmentContext } from "../../../state/context.ts";
import type { Host } from "../../../state/host.ts";
import { differences } from "../../../state/workflows.ts";

/** Refused registrations that are stored. The oldest is deleted first. */
const REFUSALS_KEPT = 200;
/** An unchanged refusal is written again only after this time, so that a host which keeps trying costs little. */
const REFUSAL_REWRITTEN_MS = 3_600_000;

export type RegistrationAnswer =
  | {
      readonly type: "success";
      readonly data: {
        readonly workflow: { readonly id: string; readonly slug: string };
        readonly environment: { readonly id: string; readonly slug: string };
        readonly organization: { readonly id: string; readonly slug: string };
        readonly isNew: boolean;
        readonly url: string;
      };
    }
  | { readonly type: "error"; readonly message: string };

interface Announcement {
  readonly context: EnvironmentContext;
  readonly turn: Turn;
  readonly host: Host;
  /** Id of the registering call. Stable over reconnects of one process. */
  readonly callId: string;
  readonly data: unknown;
  readonly now: number;
}

export function registerHost(announcement: Announcement): RegistrationAnswer {
  const { context, turn, host, callId, data, now } = announcement;
  const parsed = Registration.safeParse(data);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return refuse(
      announcement,
      slugOf(data),
      `${issue?.path.join(".") || "registration"}: ${issue?.message ?? "is not of the form"}`,
    );
  }
  const registration = parsed.data;
  if (registration.apiKey !== undefined && registration.apiKey !== context.keyText(host.keyId)) {
    return refuse(announcement, registration.workflowId, "apiKey: is not the key this connection was opened with");
  }
  const { trigger } = registration;
  if (trigger.type === "SCHEDULE" && "cron" in trigger.source) {
    const problem = cronProblem(trigger.source.cron);
    if (problem) return refuse(announcement, registration.workflowId, `trigger.source.cron: ${problem}`);
  }
  const current = context.workflows.bySlug(registration.workflowId);
  const connected = current ? [...context.hosts.ofWorkflow(current.number)] : [];
  const holding = connected.flatMap((h) => (h.registration?.differs.length === 0 ? h.registration.process : []));
  const registered = context.workflows.register(registration, callId, holding, now);
  if (!registered.ok) return refuse(announcement, registration.workflowId, registered.message);

  const { workflow, differs, isNew } = registered;
  context.sql.exec("DELETE FROM refused_registrations WHERE slug = ?", workflow.slug);
  if (!context.hosts.serves(workflow.number)) expireRuns(context, turn, workflow.number, now);
  turn.apply(() => {
    if (current && workflow.version !== current.version) {
      const parts = differences(current.definition, workflow.definition);
      for (const older of connected) context.hosts.noteDifferences(older, parts);
    }
    const version = differs.length === 0 ? workflow.version : 0;
    for (const older of connected) {
      if (older !== host && older.registration?.process === callId) supersede(context, older, workflow.number, now);
    }
    context.hosts.register(host, { workflow: workflow.number, version, process: callId, differs });
  });
  turn.dispatch(workflow.number);
  announceSource(context, turn, trigger);
  scheduleWorkflow(context, turn, workflow, now);
  turn.afterwards(() =>
    log("info", "host registered", {
      workflow: workflow.slug,
      environment: context.identity.environmentId,
      organization: context.identity.organizationId,
      key: host.keyId,
      version: workflow.version,
    }),
  );
  const { identity } = context;
  const url = `${host.origin}/orgs/${identity.organizationSlug}/${identity.environmentSlug}/workflows/${encodeURIComponent(workflow.slug)}`;
  return {
    type: "success",
    data: {
      workflow: { id: workflow.slug, slug: workflow.slug },
      environment: { id: identity.environmentId, slug: identity.environmentSlug },
      organization: { id: identity.organizationId, slug: identity.organizationSlug },
      isNew,
      url,
    },
  };
}

/**
 * The process has come back over a newer socket and sends its frames there from now on. The runs that the older socket held
 * are lost: calls that were under way when it dropped never settle in the process.
 */
function supersede(context: EnvironmentContext, older: Host, workflow: number, now: number): void {
  const lost = context.hosts.supersede(older);
  context.queue.rescanSleepingRuns(workflow);
  void context.commits.run((turn) => {
    requeueLostRuns(context, turn, workflow, lost, now);
  });
}

function refuse({ context, turn, host, now }: Announcement, slug: string, message: string): RegistrationAnswer {
  const [known] = context.sql.exec<{ message: string; at: number }>(
    "SELECT message, at FROM refused_registrations WHERE slug = ?",
    slug,
  );
  if (!known || known.message !== message || known.at < now - REFUSAL_REWRITTEN_MS) {
    context.sql.exec(
      "INSERT OR REPLACE INTO refused_registrations VALUES (?, ?, ?, ?)",
      slug,
      message,
      host.keyId,
      now,
    );
    context.sql.exec(
      "DELETE FROM refused_registrations WHERE slug IN (SELECT slug FROM refused_registrations ORDER BY at DESC LIMIT -1 OFFSET ?)",
      REFUSALS_KEPT,
    );
  }
  turn.afterwards(() => {
    const { environmentId: environment, organizationId: organization } = context.identity;
    log("warn", "registration refused", { environment, organization, key: host.keyId });
  });
  return { type: "error", message };
}

function slugOf(data: unknown): string {
  const slug = typeof data === "object" && data !== null ? (data as { workflowId?: unknown }).workflowId : undefined;
  return typeof slug === "string" && slug !== "" ? slug.slice(0, 256) : "(no workflow id)";
}
