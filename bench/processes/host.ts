// The benchmark's side of a handling process: records when each event was handled and completed, and reports on
// request.
import { monotonicMs } from "../measure.ts";

const handledAt = new Map<number, number>();
const completedAt = new Map<number, number>();
let asked: { first: number; count: number; missing: number } | null = null;

/** The handler was called with the event. */
export function handling(n: number): void {
  if (!handledAt.has(n)) handledAt.set(n, monotonicMs());
}

/** The event's completion is recorded. */
export function completed(n: number): void {
  if (completedAt.has(n)) return;
  completedAt.set(n, monotonicMs());
  if (asked && n >= asked.first && n < asked.first + asked.count && --asked.missing === 0) report();
}

/** Tells the benchmark that events can be sent. */
export function ready(details: object = {}): void {
  process.on("message", (message: { first: number; count: number }) => {
    const { first, count } = message;
    let missing = 0;
    for (let n = first; n < first + count; n++) if (!completedAt.has(n)) missing++;
    asked = { first, count, missing };
    if (missing === 0) report();
  });
  process.on("disconnect", () => process.exit());
  process.send?.(details);
}

function report(): void {
  if (!asked) return;
  const { first, count } = asked;
  asked = null;
  const times = (of: Map<number, number>) => Array.from({ length: count }, (_, i) => of.get(first + i) ?? Number.NaN);
  process.send?.({ handledAt: times(handledAt), completedAt: times(completedAt) });
  handledAt.clear();
  completedAt.clear();
}
