import { describe, expect, it } from "vitest";
import type { Run, Task } from "../../../shared/api/runs.ts";
import { timelineOf } from "./timeline.ts";

const at = (second: number) => new Date(Date.UTC(2026, 0, 1) + second * 1_000).toISOString();
const second = (time: number | null) => (time === null ? null : (time - Date.UTC(2026, 0, 1)) / 1_000);

function run(given: Partial<Run>): Run {
  return {
    id: "run_1",
    environmentId: "env_1",
    workflow: { slug: "w", name: "W" },
    status: "SUCCESS",
    isTest: false,
    attempts: 1,
    createdAt: at(0),
    event: { id: "e", name: "go", timestamp: at(0), payload: {} },
    tasks: [],
    ...given,
  };
}

function task(type: string, attempt: number, from: number, until?: number, status: Task["status"] = "SUCCESS"): Task {
  return {
    key: "k",
    type,
    attempt,
    status,
    createdAt: at(from),
    ...(until !== undefined && { finishedAt: at(until) }),
  };
}

const shown = (given: Partial<Run>) =>
  timelineOf(run(given)).map(({ label, from, until, status }) => [label, second(from), second(until), status]);

describe("the timeline of a run", () => {
  it("shows a waiting run as its wait, until it starts or ends", () => {
    expect(shown({ status: "PENDING", attempts: 0 })).toEqual([["Queued", 0, null, "waits"]]);
    expect(shown({ status: "TIMED_OUT", attempts: 0, finishedAt: at(60) })).toEqual([["Queued", 0, 60, "waits"]]);
  });

  it("shows the attempt and its steps, and no logs", () => {
    const tasks = [
      task("DELAY", 0, 2, 5),
      task("LOG_MESSAGE", 0, 3),
      task("FETCH_REQUEST", 0, 5, undefined, "PENDING"),
    ];
    expect(shown({ status: "RUNNING", startedAt: at(1), tasks })).toEqual([
      ["Queued", 0, 1, "waits"],
      ["Attempt 1", 1, null, "runs"],
      ["Delay", 2, 5, "done"],
      ["Fetch request", 5, null, "waits"],
    ]);
  });

  it("puts each step below the attempt with its result, and ends a lost attempt with its last sign of life", () => {
    const tasks = [task("DELAY", 0, 2, 5), task("LOG_MESSAGE", 0, 6), task("RUN_ONCE", 2, 20, 21)];
    expect(shown({ attempts: 3, startedAt: at(1), finishedAt: at(22), tasks })).toEqual([
      ["Queued", 0, 1, "waits"],
      ["Attempt 1", 1, 6, "lost"],
      ["Delay", 2, 5, "done"],
      // The attempt left nothing behind that would tell its time.
      ["Attempt 2", null, null, "lost"],
      ["Attempt 3", 20, 22, "done"],
      ["Run once", 20, 21, "done"],
    ]);
  });

  it.each([
    ["ERROR", "failed"],
    ["CANCELED", "failed"],
    ["SUCCESS", "done"],
  ] as const)("ends like the run: %s", (status, expected) => {
    expect(shown({ status, startedAt: at(1), finishedAt: at(3) }).at(-1)).toEqual(["Attempt 1", 1, 3, expected]);
  });

  it("ends with the last sign of life when the run's host is away", () => {
    expect(shown({ status: "DISCONNECTED", startedAt: at(1) }).at(-1)).toEqual(["Attempt 1", 1, 1, "lost"]);
  });
});
