// The copies of a delivery, one for each environment, and what becomes of each. Pure: every decision about one copy
// looks at that copy alone, so that no environment holds up another.
import type { DeliveryOutcome } from "../../../shared/contracts/environment.ts";
import type { Copy, DeliveryStatus, SourceEnvironment } from "../../../shared/contracts/webhook-source.ts";
import { REDELIVERIES_MAX } from "../../../shared/kernel/limits.ts";
import { nextTryAt } from "./retry-times.ts";

/** A delivery that was just stored: owed to every environment, at once. */
export function firstCopies(environments: readonly SourceEnvironment[], now: number): Copy[] {
  return environments.map((environment) => owed(environment, 0, now));
}

/** The copy after a try. `failed` stands also for an environment that could not be reached. */
export function afterTry(copy: Copy, outcome: DeliveryOutcome["outcome"], now: number, random: number): Copy {
  const attempts = copy.attempts + 1;
  if (outcome !== "failed") return { ...copy, attempts, state: outcome, dueAt: null };
  const dueAt = nextTryAt(attempts, now, random);
  return dueAt === null
    ? { ...copy, attempts, state: "parked", dueAt: null }
    : { ...copy, attempts, state: "pending", dueAt };
}

/** What is to be handed over now. */
export function dueCopies(copies: readonly Copy[], now: number): Copy[] {
  return copies.filter(({ state, dueAt }) => state === "pending" && dueAt !== null && dueAt <= now);
}

/** The next time at which one of them is due; null when nothing is owed. */
export function nextDue(copies: readonly Copy[]): number | null {
  const times = copies.flatMap(({ dueAt }) => dueAt ?? []);
  return times.length === 0 ? null : Math.min(...times);
}

/** Copies with those in place of them that were tried meanwhile. Others may have been added since. */
export function withTried(copies: readonly Copy[], tried: readonly Copy[]): Copy[] {
  return copies.map((copy) => tried.find((other) => isSame(copy, other)) ?? copy);
}

/** What a delivery is shown as: what is still owed first, then what went wrong. Only the last copy of each environment counts. */
export function statusOf(copies: readonly Copy[]): Exclude<DeliveryStatus, "conflict"> {
  const last = new Map(copies.map((copy) => [copy.environment.id, copy.state]));
  const states = [...copies.filter(({ state }) => state === "pending").map(({ state }) => state), ...last.values()];
  if (states.includes("pending")) return "pending";
  if (states.includes("parked")) return "parked";
  return states.every((state) => state === "accepted") ? "delivered" : "refused";
}

/**
 * The copies after a redelivery to these environments. A copy that never arrived (parked) is tried again as itself, and
 * one that is still owed goes at once; for the rest a new copy is made, which is an event of its own and runs again.
 * Null when that was done as often as can be.
 */
export function redelivered(
  copies: readonly Copy[],
  environments: readonly SourceEnvironment[],
  now: number,
): Copy[] | null {
  const ids = new Set(environments.map(({ id }) => id));
  const number = Math.max(0, ...copies.map((copy) => copy.number)) + 1;
  const again = copies.map((copy) =>
    ids.has(copy.environment.id) && (copy.state === "parked" || copy.state === "pending")
      ? owed(copy.environment, copy.number, now)
      : copy,
  );
  const waiting = new Set(again.filter(({ state }) => state === "pending").map(({ environment }) => environment.id));
  const fresh = environments.filter(({ id }) => !waiting.has(id));
  if (fresh.length > 0 && number > REDELIVERIES_MAX) return null;
  return [...again, ...fresh.map((environment) => owed(environment, number, now))];
}

function owed(environment: SourceEnvironment, number: number, dueAt: number): Copy {
  return { environment, number, state: "pending", attempts: 0, dueAt };
}

function isSame(one: Copy, other: Copy): boolean {
  return one.environment.id === other.environment.id && one.number === other.number;
}
