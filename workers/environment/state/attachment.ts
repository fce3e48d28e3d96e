// The attachment of a host's socket: everything the router must still know of the host after a hibernation. Pure.
import { z } from "zod";
import type { HeldRun, Host } from "./host.ts";

const Attachment = z.object({
  v: z.literal(1),
  id: z.number(),
  keyId: z.string(),
  secretVersion: z.number(),
  origin: z.string(),
  connectedAt: z.number(),
  registration: z
    .object({ workflow: z.number(), version: z.number(), process: z.string(), differs: z.array(z.string()) })
    .nullable(),
  standing: z.enum(["serving", "silent", "superseded"]),
  heardAt: z.number(),
  probedAt: z.number().nullable(),
  refusedFrames: z.number(),
  /** Progress of the search for waiting runs of the host's workflow; `postponed`: some of them wait for a time. */
  search: z.object({ watermark: z.number(), sleepersSought: z.boolean(), postponed: z.boolean() }).nullable(),
  held: z.string(),
});
type Attachment = z.infer<typeof Attachment>;

/** Progress of the search for waiting runs of a workflow (run-queue.ts). */
export type SearchState = Readonly<NonNullable<Attachment["search"]>>;

export interface RememberedHost {
  readonly host: Omit<Host, "socket" | "wire" | "held">;
  readonly held: HeldRun[];
  readonly search: SearchState | null;
}

export function packHost(host: Host, search: SearchState | null): Attachment {
  const { socket: _socket, wire: _wire, held, registration, ...rest } = host;
  return {
    ...rest,
    v: 1,
    registration: registration && { ...registration, differs: [...registration.differs] },
    search,
    held: packHeld(held.values(), host),
  };
}

/** Null for an attachment that cannot be read. */
export function unpackHost(attachment: unknown): RememberedHost | null {
  const parsed = Attachment.safeParse(attachment);
  if (!parsed.success) return null;
  const { held, search, v: _, ...host } = parsed.data;
  return { host, held: unpackHeld(held, host), search };
}

/** The host that packed numbers and times count from. */
type Base = Pick<Host, "id" | "connectedAt">;

const TAKEN = 1;
const WRITTEN = 2;

/**
 * Held runs as short text, about 26 characters each: `run,attempt,offered,started,flags,lostInARow;…` in base 36. The
 * run counts from the host's id, times count from the host's connection in milliseconds. `started` is empty before the
 * start.
 */
export function packHeld(runs: Iterable<HeldRun>, { id, connectedAt }: Base): string {
  return Array.from(runs, (held) =>
    [
      held.run - id,
      held.attempt,
      held.offeredAt - connectedAt,
      held.startedAt === null ? null : held.startedAt - connectedAt,
      (held.taken ? TAKEN : 0) | (held.written ? WRITTEN : 0),
      held.lostInARow,
    ]
      .map((part) => part?.toString(36) ?? "")
      .join(","),
  ).join(";");
}

export function unpackHeld(packed: string, { id, connectedAt }: Base): HeldRun[] {
  if (packed === "") return [];
  return packed.split(";").map((text) => {
    const [run = 0, attempt = 0, offered = 0, started = 0, flags = 0, lostInARow = 0] = text
      .split(",")
      .map((part) => (part === "" ? Number.NaN : Number.parseInt(part, 36)));
    return {
      run: run + id,
      attempt,
      offeredAt: connectedAt + offered,
      taken: (flags & TAKEN) !== 0,
      startedAt: Number.isNaN(started) ? null : connectedAt + started,
      written: (flags & WRITTEN) !== 0,
      lostInARow,
    };
  });
}
