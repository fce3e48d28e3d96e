// The timeline of a run, drawn: bars on one scale that begins when the run was made, and the details of each step.
import type { Run, Task } from "../../../shared/api/runs.ts";
import { formatDuration, formatJson } from "../ui/format.ts";
import { Badge, Panel, useNow } from "../ui/show.tsx";
import { type Bar, timelineOf, typeLabel } from "./timeline.ts";

const COLORS: Record<Bar["status"], string> = {
  waits: "bg-amber-500",
  runs: "bg-sky-600",
  lost: "bg-zinc-500",
  done: "bg-emerald-600",
  failed: "bg-red-600",
};

export function Timeline({ run }: { run: Run }) {
  const now = useNow(1_000);
  const bars = timelineOf(run);
  const made = Date.parse(run.createdAt);
  const span = Math.max(1, ...bars.map(({ from, until }) => (until ?? (from === null ? made : now)) - made));
  return (
    <Panel title="Timeline">
      <ol className="flex flex-col gap-1.5">
        {bars.map((bar, index) => (
          <Row key={index} bar={bar} made={made} span={span} now={now} />
        ))}
      </ol>
      {run.tasksOmitted !== undefined && run.tasksOmitted > 0 && (
        <p className="mt-2 text-soft">{run.tasksOmitted.toLocaleString()} more steps are not shown.</p>
      )}
      <Steps tasks={run.tasks} />
    </Panel>
  );
}

function Row({ bar, made, span, now }: { bar: Bar; made: number; span: number; now: number }) {
  const { kind, label, detail, from, until, status } = bar;
  const length = from === null ? null : (until ?? now) - from;
  return (
    <li className="grid grid-cols-1 gap-x-3 sm:grid-cols-[15rem_1fr_5.5rem] sm:items-center">
      <span className={`min-w-0 truncate ${kind === "step" ? "pl-4" : "font-medium"}`}>
        {label} <span className="data text-xs font-normal text-soft">{detail}</span>
      </span>
      <span className="relative h-3 overflow-hidden rounded bg-line/60" aria-hidden="true">
        {from !== null && length !== null && (
          <span
            className={`absolute inset-y-0 min-w-1 rounded ${COLORS[status]} ${kind === "step" ? "my-0.5" : ""}`}
            style={{
              left: `${Math.min(99, ((from - made) / span) * 100)}%`,
              width: `${Math.max(0.5, (length / span) * 100)}%`,
            }}
          />
        )}
      </span>
      <span className="text-xs text-soft tabular-nums sm:text-right">
        {length === null ? "unknown" : formatDuration(length)}
        {from !== null && until === null && " …"}
      </span>
    </li>
  );
}

/** Each step with all its details. */
function Steps({ tasks }: { tasks: readonly Task[] }) {
  const steps = tasks.filter(({ type }) => type !== "LOG_MESSAGE");
  if (steps.length === 0) return null;
  return (
    <div className="mt-4 flex flex-col gap-1.5">
      {steps.map(({ type, key, status, attempt, createdAt, finishedAt, ...detail }) => (
        <details key={type + key} className="rounded-md border border-line px-3 py-2">
          <summary className="cursor-default">
            <Badge tone={status === "SUCCESS" ? "good" : status === "ERROR" ? "bad" : "wait"}>
              {status.toLowerCase()}
            </Badge>{" "}
            {typeLabel(type)} <span className="data text-soft">{key}</span>
          </summary>
          <pre
            // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard must reach it to scroll.
            tabIndex={0}
            className="mt-2 max-h-80 overflow-auto font-mono text-xs break-words whitespace-pre-wrap"
          >
            {formatJson(detail)}
          </pre>
        </details>
      ))}
    </div>
  );
}
