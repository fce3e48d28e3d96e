// What every call of a host has in common: it is parsed by its schema, it concerns a run that this host holds, and it
// is answered `true` or `false`. A file each beside this one does what the call says.
import type { z } from "zod";
import { parseRunId } from "../../../shared/ids.ts";
import type { Turn } from "../commits.ts";
import type { EnvironmentContext } from "../context.ts";
import type { HeldRun, Host } from "../hosts.ts";

export interface Call<T> {
  readonly context: EnvironmentContext;
  readonly turn: Turn;
  readonly host: Host;
  readonly held: HeldRun;
  readonly data: T;
  readonly now: number;
}

/** Answers what the host is told, or that the call's data was not of its form. */
export type RunCallHandler = (input: Omit<Call<unknown>, "held">) => boolean | "malformed";

/** Keeps a method's schema and code together while the table of methods need not know their types. */
export function runCall<T extends { runId: string }>(
  schema: z.ZodType<T>,
  execute: (call: Call<T>) => boolean,
): RunCallHandler {
  return (input) => {
    const parsed = schema.safeParse(input.data);
    if (!parsed.success) return "malformed";
    const held = heldBy(input.context, input.host, parsed.data.runId);
    // A frame about a run from a socket that does not hold it changes nothing.
    return held ? execute({ ...input, held, data: parsed.data }) : false;
  };
}

export function heldBy(context: EnvironmentContext, host: Host, runId: string): HeldRun | undefined {
  const run = parseRunId(context.identity.environmentId, runId);
  return run === null ? undefined : host.held.get(run);
}
