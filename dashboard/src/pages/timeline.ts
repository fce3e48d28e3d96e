// The order of events in a run: the wait for a host, each attempt, and the steps that got their result in it. Pure.
import type { Run, Task } from "../../../shared/api/runs.ts";

export interface Bar {
  readonly kind: "wait" | "attempt" | "step";
  readonly label: string;
  readonly detail: string;
  /** Unix milliseconds; null if the time is unknown. */
  readonly from: number | null;
  /** Null while it is in progress. */
  readonly until: number | null;
  readonly status: "waits" | "runs" | "lost" | "done" | "failed";
}

/** The bars by their beginning, each attempt before its steps. */
export function timelineOf(run: Run): readonly Bar[] {
  const made = Date.parse(run.createdAt);
  const end = run.finishedAt === undefined ? null : Date.parse(run.finishedAt);
  const started = run.startedAt === undefined ? null : Date.parse(run.startedAt);
  const wait: Bar = {
    kind: "wait",
    label: "Queued",
    detail: "",
    from: made,
    until: started ?? end,
    status: "waits",
  };
  const count = started === null ? 0 : Math.max(1, run.attempts);
  const attempts = Array.from({ length: count }, (_, attempt) => {
    const tasks = run.tasks.filter((task) => task.attempt === attempt);
    const isLast = attempt === count - 1;
    const steps = tasks.filter(({ type }) => type !== "LOG_MESSAGE").map(stepBar);
    return [attemptBar(run, attempt, isLast, tasks, started), ...steps];
  });
  return [wait, ...attempts.flat()];
}

/**
 * Only the first start is recorded. A later attempt is dated by its first step, and the end of a lost one by its last.
 */
function attemptBar(run: Run, attempt: number, isLast: boolean, tasks: readonly Task[], started: number | null): Bar {
  const began = tasks.map(({ createdAt }) => Date.parse(createdAt));
  const ended = tasks.map(({ createdAt, finishedAt }) => Date.parse(finishedAt ?? createdAt));
  const end = run.finishedAt === undefined ? null : Date.parse(run.finishedAt);
  const from = attempt === 0 ? started : began.length > 0 ? Math.min(...began) : null;
  const isLost = !isLast || run.status === "DISCONNECTED";
  const lastSeen = ended.length > 0 ? Math.max(...ended) : from;
  const failed = run.status === "ERROR" || run.status === "TIMED_OUT" || run.status === "CANCELED";
  return {
    kind: "attempt",
    label: `Attempt ${attempt + 1}`,
    detail: isLost ? "host lost" : "",
    from,
    until: isLost ? lastSeen : end,
    status: isLost ? "lost" : end === null ? "runs" : failed ? "failed" : "done",
  };
}

function stepBar({ type, key, status, createdAt, finishedAt }: Task): Bar {
  const from = Date.parse(createdAt);
  return {
    kind: "step",
    label: typeLabel(type),
    detail: key,
    from,
    until: finishedAt !== undefined ? Date.parse(finishedAt) : status === "PENDING" ? null : from,
    status: status === "SUCCESS" ? "done" : status === "ERROR" ? "failed" : "waits",
  };
}

/** FETCH_REQUEST as "Fetch request". */
export function typeLabel(type: string): string {
  const text = type.toLowerCase().replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
