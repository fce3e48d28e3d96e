// When an environment's object looks after its history. All of them do at the same times, a moment apart, so that the
// Postgres of a whole deployment is woken up together, and sleeps in between. Pure.
import { ARCHIVE_RETRY_FIRST_MS, ARCHIVE_RETRY_LONGEST_MS } from "../../../shared/kernel/limits.ts";

/** No more than this lies between the first object and the last. */
const SPREAD_MS = 60_000;

/** The first time after a moment that is a multiple of the period, and this environment's part of a minute later. */
export function nextTurn(after: number, everyMs: number, environmentId: string): number {
  const spread = Math.floor(partOf(environmentId) * Math.min(SPREAD_MS, everyMs / 2));
  return (Math.floor((after - spread) / everyMs) + 1) * everyMs + spread;
}

/** When an archive that has failed so often in a row is tried again; `random` is from 0 to 1. */
export function retryAt(attempts: number, now: number, random: number): number {
  const wait = Math.min(ARCHIVE_RETRY_LONGEST_MS, ARCHIVE_RETRY_FIRST_MS * 2 ** Math.min(attempts - 1, 20));
  return Math.round(now + wait * (0.5 + random / 2));
}

/** From 0 to 1, always the same for an environment. */
function partOf(environmentId: string): number {
  // FNV-1a, and its high bits mixed into the low.
  let hash = 0x811c9dc5;
  for (const character of environmentId) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
