// Workflows as the API shows them: what is in force, who serves it, and what was refused.
import type { HostDetails, WorkflowDetails, WorkflowsPage, WorkflowsQuery } from "../../../shared/api/workflows.ts";
import type { EnvironmentContext } from "../state/context.ts";
import type { Host } from "../state/host.ts";
import { summarizeRun } from "./runs.ts";

interface RefusedRow extends Record<string, SqlStorageValue> {
  slug: string;
  message: string;
  key_id: string;
  at: number;
}

/** The newest runs among which the last one of each workflow is looked for: none has an index of its own. */
const LAST_AMONG = 1_000;

/** A page of the workflows by slug, with those that were only ever refused. */
export function listWorkflows(
  context: EnvironmentContext,
  { limit, cursor }: WorkflowsQuery,
  now: number,
): WorkflowsPage {
  const slugs = context.sql
    .exec<{ slug: string }>(
      `SELECT slug FROM (SELECT slug FROM workflows WHERE deregistered_at IS NULL
         UNION SELECT slug FROM refused_registrations) WHERE slug > ? ORDER BY slug LIMIT ?`,
      cursor ?? "",
      limit + 1,
    )
    .toArray()
    .map(({ slug }) => slug);
  const lastRuns = newestRuns(context.sql);
  const data = slugs.slice(0, limit).map((slug) => workflowDetails(context, slug, lastRuns, now));
  return { data, next: slugs.length > limit ? (slugs[limit - 1] ?? null) : null };
}

/** The newest run of each workflow, by its number. */
function newestRuns(sql: SqlStorage): ReadonlyMap<number, number> {
  const rows = sql.exec<{ workflow: number; run: number }>(
    "SELECT workflow, max(id) AS run FROM (SELECT workflow, id FROM runs ORDER BY id DESC LIMIT ?) GROUP BY workflow",
    LAST_AMONG,
  );
  return new Map(rows.toArray().map(({ workflow, run }) => [workflow, run]));
}

function workflowDetails(
  context: EnvironmentContext,
  slug: string,
  lastRuns: ReadonlyMap<number, number>,
  now: number,
): WorkflowDetails {
  const [refusal] = context.sql.exec<RefusedRow>("SELECT * FROM refused_registrations WHERE slug = ?", slug);
  const refused = refusal && {
    refused: { message: refusal.message, at: new Date(refusal.at).toISOString(), keyId: refusal.key_id },
  };
  const workflow = context.workflows.bySlug(slug);
  if (!workflow || workflow.deregistered) {
    const nothing = { version: null, trigger: null, triggerTTL: null, registeredAt: null, changedAt: null };
    return { slug, name: slug, ...nothing, package: {}, paused: false, hosts: [], ...refused };
  }
  const last = lastRuns.get(workflow.number);
  const lastRun = last === undefined ? null : summarizeRun(context, last, now);
  return {
    slug,
    name: workflow.definition.name,
    version: workflow.version,
    trigger: workflow.definition.trigger,
    triggerTTL: workflow.definition.triggerTTL,
    package: context.workflows.packageOf(workflow.number),
    registeredAt: new Date(workflow.registeredAt).toISOString(),
    changedAt: new Date(workflow.changedAt).toISOString(),
    paused: workflow.paused,
    hosts: [...context.hosts.ofWorkflow(workflow.number)].map(hostDetails),
    ...(lastRun && { lastRun: { id: lastRun.id, status: lastRun.status, createdAt: lastRun.createdAt } }),
    ...refused,
  };
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
