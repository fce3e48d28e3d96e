// A host: one socket, which is one trigger in one process of the user's. These types are read-only; only the registry
// (hosts.ts) changes a host.
import { HOST_MAX_HELD, SUSPECT_AFTER_LOST } from "../../../shared/kernel/limits.ts";
import type { HostWire } from "./host-wire.ts";

/** The id of no host. Steps whose answer no host waits for have it, and so does a host that was given up. */
export const NO_HOST = 0;

export interface HeldRun {
  readonly run: number;
  readonly attempt: number;
  readonly offeredAt: number;
  /** The host took the run: it answered the offer, or it started the run. */
  readonly taken: boolean;
  readonly startedAt: number | null;
  /** The start is stored in the run's row, so it outlives this object's memory. */
  readonly written: boolean;
  /** Attempts lost in a row before this one. */
  readonly lostInARow: number;
}

export interface HostRegistration {
  readonly workflow: number;
  /** The definition's version when this host registered it; 0 for a definition that was superseded before. */
  readonly version: number;
  /** Call id of the registration. Stable over reconnects, different in each process. */
  readonly process: string;
  /** Parts in which this host's definition differs from the one in force. */
  readonly differs: readonly string[];
}

/**
 * `serving`: gets runs. `silent`: did not answer an offer or a probe in time, and gets no runs until it sends a frame.
 * `superseded`: its process has registered over a newer socket. This socket gets no more runs. The router leaves it open,
 * since the client would answer a close with another connection.
 */
export type HostStanding = "serving" | "silent" | "superseded";

/** The part of a WebSocket that a host needs. */
export type HostSocket = Pick<
  WebSocket,
  "readyState" | "send" | "close" | "serializeAttachment" | "deserializeAttachment"
>;

export interface Host {
  readonly socket: HostSocket;
  /** The protocol of the host's client. */
  readonly wire: HostWire;
  /** Unique in the environment. A host that was given up has NO_HOST, and a new id from its next frame on. */
  readonly id: number;
  readonly keyId: string;
  readonly secretVersion: number;
  /** Origin of the URL that the host connected to, for links to the dashboard. */
  readonly origin: string;
  readonly connectedAt: number;
  readonly registration: HostRegistration | null;
  readonly standing: HostStanding;
  /** Time of its last frame. */
  readonly heardAt: number;
  /** Time of a probe that it has not acknowledged, or null. */
  readonly probedAt: number | null;
  /** Frames that were answered `false` or ignored because of their form. */
  readonly refusedFrames: number;
  readonly held: ReadonlyMap<number, HeldRun>;
}

/** True if so many attempts were lost in a row that the run may be killing its hosts. */
export function isSuspect({ lostInARow }: Pick<HeldRun, "lostInARow">): boolean {
  return lostInARow >= SUSPECT_AFTER_LOST;
}

/** True if the host can hold one more of its sleeping runs. */
export function hasRoomToWake({ held }: Pick<Host, "held">): boolean {
  return held.size < HOST_MAX_HELD;
}

/** Sends a frame. A socket that has closed meanwhile gets nothing: its close event follows. */
export function sendFrame({ socket }: Pick<Host, "socket">, frame: string): void {
  if (socket.readyState === WebSocket.OPEN) socket.send(frame);
}
