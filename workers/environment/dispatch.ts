// Offers waiting runs to hosts: the oldest run first, to the host with the fewest in flight. An offer writes no row;
// the host's attachment says that it holds the run.
//
// A run is offered only after the transaction that stored it, and a host that holds it keeps it until the run ends or
// the host is lost, so no two hosts run it at once. Tests: tests/workerd/dispatch.test.ts.
import { encodeBase62Integer } from "../../shared/base62.ts";
import { runId } from "../../shared/ids.ts";
import { HOST_MAX_RUNNING } from "../../shared/limits.ts";
import { callMessage, messageFrame } from "../../shared/wire/frames.ts";
import type { Turn } from "./commits.ts";
import type { EnvironmentContext } from "./context.ts";
import { type Host, leastBusy } from "./hosts.ts";
import { endRun } from "./runs.ts";

interface WaitingRun extends Record<string, SqlStorageValue> {
  id: number;
  event: number;
  lost: number;
  expires_at: number;
  is_test: number;
}

/** Waiting runs read at once. More than a host takes, so that one read usually serves one host's worth. */
const READ_AT_ONCE = 2 * HOST_MAX_RUNNING;

/**
 * Where the search for waiting runs of each workflow goes on. Runs up to the cursor are held, ended or put back;
 * the object starts with no cursors and so looks at every unfinished run once.
 */
export class RunQueue {
  readonly #cursors = new Map<number, number>();
  readonly #putBack = new Map<number, Set<number>>();

  /** Has a run found again that the cursor has passed. */
  putBack(workflow: number, run: number): void {
    if (run > (this.#cursors.get(workflow) ?? 0)) return;
    const runs = this.#putBack.get(workflow) ?? new Set();
    runs.add(run);
    this.#putBack.set(workflow, runs);
  }

  /** The oldest waiting runs of a workflow, as they stand in storage; held ones may be among them. */
  next(sql: SqlStorage, workflow: number): WaitingRun[] {
    const returned = this.#putBack.get(workflow);
    if (returned && returned.size > 0) {
      const ids = [...returned].sort((a, b) => a - b).slice(0, READ_AT_ONCE);
      for (const id of ids) returned.delete(id);
      return sql
        .exec<WaitingRun>(
          `SELECT id, event, lost, expires_at, is_test FROM runs
           WHERE id IN (SELECT value FROM json_each(?)) AND finished_at IS NULL ORDER BY id`,
          JSON.stringify(ids),
        )
        .toArray();
    }
    const rows = sql
      .exec<WaitingRun>(
        `SELECT id, event, lost, expires_at, is_test FROM runs
         WHERE workflow = ? AND finished_at IS NULL AND id > ? ORDER BY id LIMIT ?`,
        workflow,
        this.#cursors.get(workflow) ?? 0,
        READ_AT_ONCE,
      )
      .toArray();
    const last = rows.at(-1);
    if (last) this.#cursors.set(workflow, last.id);
    return rows;
  }

  /** Whether `next` may have more: runs put back, or a full page read. */
  mayHaveMore(workflow: number, read: number): boolean {
    return (this.#putBack.get(workflow)?.size ?? 0) > 0 || read === READ_AT_ONCE;
  }
}

/** Offers waiting runs of a workflow to its hosts until there are no more of either. */
export function dispatchWorkflow(context: EnvironmentContext, turn: Turn, workflow: number, now: number): void {
  const hosts = context.hosts.ofWorkflow(workflow);
  if (hosts.size === 0) return;
  let host = leastBusy(hosts);
  while (host) {
    const waiting = context.queue.next(context.sql, workflow);
    if (waiting.length === 0) return;
    for (const run of waiting) {
      if (context.hosts.holder(run.id)) continue;
      host = leastBusy(hosts);
      if (host) offer(context, turn, host, run, now);
      else context.queue.putBack(workflow, run.id);
    }
  }
}

/**
 * Runs whose time to live ended while no host was connected, written down before a first host could take them.
 * From their moment on every reader saw them as timed out.
 */
export function expireRuns(context: EnvironmentContext, turn: Turn, workflow: number, now: number): void {
  const expired = context.sql
    .exec<{ id: number; expires_at: number }>(
      `SELECT id, expires_at FROM runs WHERE workflow = ? AND finished_at IS NULL AND lost = 0 AND expires_at <= ?`,
      workflow,
      now,
    )
    .toArray();
  for (const { id, expires_at } of expired) endRun(context, turn, id, { status: "TIMED_OUT" }, expires_at);
}

function offer(context: EnvironmentContext, turn: Turn, host: Host, run: WaitingRun, now: number): void {
  const frame = offerFrame(context, host, run);
  if (frame === null) {
    const error = { name: "InternalError", message: "the run's event is no longer stored" };
    endRun(context, turn, run.id, { status: "ERROR", error }, now);
    return;
  }
  // Applied at once, not with the turn's other changes: the next run of this turn must see the host as busier.
  context.hosts.hold(host, {
    run: run.id,
    attempt: run.lost,
    offeredAt: now,
    taken: false,
    startedAt: null,
  });
  turn.afterwards(() => host.socket.send(frame));
}

/** The id of the call that offers an attempt of a run; its answer bears the same. */
export function offerId(run: number, attempt: number): string {
  return `offer.${encodeBase62Integer(run, 9)}.${attempt}`;
}

/** TRIGGER_WORKFLOW, with the stored payload and context as they are. Null when the event is gone. */
function offerFrame(
  { sql, identity, workflows, keyText }: EnvironmentContext,
  host: Host,
  run: WaitingRun,
): string | null {
  const [event] = sql.exec<{ payload: string; context: string | null }>(
    "SELECT payload, context FROM events WHERE id = ?",
    run.event,
  );
  if (!event) return null;
  const meta = JSON.stringify({
    environment: identity.environmentSlug,
    workflowId: host.registration ? (workflows.byNumber(host.registration.workflow)?.slug ?? "") : "",
    organizationId: identity.organizationId,
    apiKey: keyText(host.keyId),
    isTest: run.is_test === 1,
    appOrigin: host.origin,
    attempt: run.lost,
  });
  const data = `{"id":${JSON.stringify(runId(identity.environmentId, run.id))},"trigger":{"input":${event.payload},"context":${event.context ?? "{}"}},"meta":${meta}}`;
  const id = offerId(run.id, run.lost);
  return messageFrame(id, callMessage(id, "TRIGGER_WORKFLOW", data));
}
