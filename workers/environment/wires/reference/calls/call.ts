// The common part of every call of a host about a run: the call is parsed by its schema, it concerns a run on this host, and
// its answer is `true` or `false`. Each file beside this one carries out one kind of call.
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
  /** The result of `prepare`. */
  readonly prepared: Uint8Array | null;
}

export interface RunCallHandler {
  /** Work that takes time and so cannot be done inside a transaction; null if the data needs none. */
  readonly prepare?: (context: EnvironmentContext, data: unknown) => Promise<Uint8Array> | null;
  /** The call changes memory only, so its answer waits for no commit. */
  readonly inMemory?: true;
  /** Returns the answer for the host, or "malformed" for data that is not of the call's form. */
  readonly answer: (input: Omit<Call<unknown>, "held">) => boolean | "malformed";
}

/** Ties a method's schema to its code, so that the table of methods need not know their types. */
export function runCall<T extends { runId: string }>(
  schema: z.ZodType<T>,
  execute: (call: Call<T>) => boolean,
): RunCallHandler {
  return {
    answer: (input) => {
      const parsed = schema.safeParse(input.data);
      if (!parsed.success) return "malformed";
      const held = runOnHost(input.context, input.host, parsed.data.runId);
      // A frame from a socket that does not hold the run changes nothing.
      return held ? execute({ ...input, held, data: parsed.data }) : false;
    },
  };
}

/** The run as it is on this host, held or asleep. Undefined for a run that is not on this host. */
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
