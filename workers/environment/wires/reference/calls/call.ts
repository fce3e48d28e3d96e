// What every call of a host about a run has in common: it is parsed by its schema, it concerns a run that is on this
// host, and it is answered `true` or `false`. A file each beside this one does what the call says.
import type { z } from "zod";
import { parseRunId } from "../../../../../shared/ids/ids.ts";
import type { Turn } from "../../../state/commits.ts";
import type { EnvironmentContext } from "../../../state/context.ts";
import type { HeldRun, Host } from "../../../state/host.ts";

export interface Call<T> {
  readonly context: EnvironmentContext;
  readonly turn: Turn;
  readonly host: Host;
  readonly held: HeldRun;
  readonly data: T;
  readonly now: number;
  /** What `prepare` made of the data. */
  readonly prepared: Uint8Array | null;
}

export interface RunCallHandler {
  /** What cannot be done inside a transaction because it takes time; null when nothing needs to be. */
  readonly prepare?: (context: EnvironmentContext, data: unknown) => Promise<Uint8Array> | null;
  /** The call changes memory only, and is answered without a commit. */
  readonly inMemory?: true;
  /** Answers what the host is told, or that the call's data was not of its form. */
  readonly answer: (input: Omit<Call<unknown>, "held">) => boolean | "malformed";
}

/** Keeps a method's schema and code together while the table of methods need not know their types. */
export function runCall<T extends { runId: string }>(
  schema: z.ZodType<T>,
  execute: (call: Call<T>) => boolean,
): RunCallHandler {
  return {
    answer: (input) => {
      const parsed = schema.safeParse(input.data);
      if (!parsed.success) return "malformed";
      const held = runOnHost(input.context, input.host, parsed.data.runId);
      // A frame about a run from a socket that does not hold it changes nothing.
      return held ? execute({ ...input, held, data: parsed.data }) : false;
    },
  };
}

/** The run as it is on this host: held, or asleep there. Undefined when it is not, whatever else it may be. */
export function runOnHost(context: EnvironmentContext, host: Host, id: string): HeldRun | undefined {
  const run = parseRunId(context.identity.environmentId, id);
  if (run === null) return undefined;
  const held = host.held.get(run);
  if (held || context.hosts.held.holder(run)) return held;
  const [asleep] = context.sql.exec<{ attempts: number; lost_in_a_row: number; started_at: number | null }>(
    `SELECT r.attempts, r.lost_in_a_row, r.started_at FROM runs r WHERE r.id = ? AND r.finished_at IS NULL
     AND EXISTS (SELECT 1 FROM steps s WHERE s.run = r.id AND s.due_at IS NOT NULL AND s.host = ?)`,
    run,
    host.id,
  );
  if (!asleep || context.hosts.byId(host.id) !== host) return undefined;
  const startedAt = asleep.started_at;
  const attempt = Math.max(0, asleep.attempts - 1);
  return {
    run,
    attempt,
    offeredAt: startedAt ?? 0,
    taken: true,
    startedAt,
    written: true,
    lostInARow: asleep.lost_in_a_row,
  };
}
