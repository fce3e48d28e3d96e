// The public ids: organizations, environments, keys, runs and events. An id has exactly one text. An environment's runs
// and events sort by time, as numbers inside its object and as texts outside.

import { decodeBase62, decodeBase62Integer, encodeBase62, encodeBase62Integer } from "./base62.ts";

export const ENVIRONMENT_ID_BYTES = 10;
export const KEY_ID_BYTES = 6;
const ORGANIZATION_ID_BYTES = 10;
const SCHEDULE_ID_BYTES = 10;

/** Numbers that an environment can allocate within one millisecond before it borrows from the next one. */
const SEQUENCES_PER_MS = 4096;
/** Sequences count from 2025, so that 2 ** 53 lasts until 2094. */
const EPOCH_MS = Date.UTC(2025, 0, 1);
/** 62 ** 9 is more than 2 ** 53. */
const SEQUENCE_WIDTH = 9;

/** `org_` and 14 characters: 80 random bits. */
export function newOrganizationId(): string {
  return `org_${encodeBase62(randomBytes(ORGANIZATION_ID_BYTES))}`;
}

/** `env_` and 14 characters: 80 random bits. */
export function newEnvironmentId(): string {
  return environmentIdFromBytes(randomBytes(ENVIRONMENT_ID_BYTES));
}

/** `key_` and 9 characters: 48 random bits. Unique within its environment only, which its object ensures. */
export function newKeyId(): string {
  return keyIdFromBytes(randomBytes(KEY_ID_BYTES));
}

/** `sch_` and 14 characters: 80 random bits. */
export function newScheduleId(): string {
  return `sch_${encodeBase62(randomBytes(SCHEDULE_ID_BYTES))}`;
}

/** The 10 bytes of an environment id, or null when the text is not one. */
export function environmentIdBytes(id: string): Uint8Array<ArrayBuffer> | null {
  return id.startsWith("env_") ? decodeBase62(id.slice(4), ENVIRONMENT_ID_BYTES) : null;
}

/** The environment id of 10 bytes. Throws a RangeError for another length. */
export function environmentIdFromBytes(bytes: Uint8Array): string {
  return `env_${encodeExactly(bytes, ENVIRONMENT_ID_BYTES)}`;
}

/** The 6 bytes of a key id, or null when the text is not one. */
export function keyIdBytes(id: string): Uint8Array<ArrayBuffer> | null {
  return id.startsWith("key_") ? decodeBase62(id.slice(4), KEY_ID_BYTES) : null;
}

/** The key id of 6 bytes. Throws a RangeError for another length. */
export function keyIdFromBytes(bytes: Uint8Array): string {
  return `key_${encodeExactly(bytes, KEY_ID_BYTES)}`;
}

/**
 * The next number for a run or event of an environment: greater than `last` (0 when there is none yet), even when the
 * clock stands still or goes back, and not below the first number of `nowMs` (milliseconds since 1970).
 * Throws a RangeError past 2 ** 53, which the clock reaches in September 2094 (2 ** 41 ms after 2025).
 */
export function nextSequence(last: number, nowMs: number): number {
  const next = Math.max(last + 1, firstSequenceAt(nowMs));
  if (!Number.isSafeInteger(next)) throw new RangeError("the sequence of runs and events is exhausted");
  return next;
}

/** The smallest number that can be allocated at `ms`: every number below it is of an earlier time. */
export function firstSequenceAt(ms: number): number {
  return Math.max(0, Math.floor(ms) - EPOCH_MS) * SEQUENCES_PER_MS;
}

/** The time of a number in milliseconds since 1970. A number allocated among many in one millisecond may read later. */
export function sequenceTime(sequence: number): number {
  return EPOCH_MS + Math.floor(sequence / SEQUENCES_PER_MS);
}

/** `run_`, 14 characters of the environment, 9 of the number. Throws a RangeError for a bad environment id or number. */
export function runId(environmentId: string, sequence: number): string {
  return sequenceId("run_", environmentId, sequence);
}

/** The number of a run of this environment; null unless the text is exactly the id of one. The run need not exist. */
export function parseRunId(environmentId: string, text: string): number | null {
  return parseSequenceId("run_", environmentId, text);
}

/** `evt_`, 14 characters of the environment, 9 of the number. Throws a RangeError for a bad environment id or number. */
export function eventId(environmentId: string, sequence: number): string {
  return sequenceId("evt_", environmentId, sequence);
}

/**
 * The number of an event of this environment; null unless the text is exactly the id of one. The event need not exist.
 */
export function parseEventId(environmentId: string, text: string): number | null {
  return parseSequenceId("evt_", environmentId, text);
}

function sequenceId(prefix: "run_" | "evt_", environmentId: string, sequence: number): string {
  if (environmentIdBytes(environmentId) === null) throw new RangeError("not an environment id");
  return prefix + environmentId.slice(4) + encodeBase62Integer(sequence, SEQUENCE_WIDTH);
}

function parseSequenceId(prefix: "run_" | "evt_", environmentId: string, text: string): number | null {
  if (environmentIdBytes(environmentId) === null) return null;
  const head = prefix + environmentId.slice(4);
  return text.startsWith(head) ? decodeBase62Integer(text.slice(head.length), SEQUENCE_WIDTH) : null;
}

function encodeExactly(bytes: Uint8Array, length: number): string {
  if (bytes.length !== length) throw new RangeError(`expected ${length} bytes`);
  return encodeBase62(bytes);
}

function randomBytes(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length));
}
