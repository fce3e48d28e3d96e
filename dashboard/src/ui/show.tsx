// Display of statuses, times, payloads, panels and empty lists.
import { type ReactNode, useEffect, useState } from "react";
import type { RunStatus } from "../../../shared/api/runs.ts";
import { usePlace } from "../shell/place.ts";
import { Copy } from "./controls.tsx";
import { formatDuration, formatJson, formatRelative, formatTime } from "./format.ts";

const TONES = {
  good: "bg-emerald-100 text-emerald-900 dark:bg-emerald-950 dark:text-emerald-200",
  bad: "bg-red-100 text-red-900 dark:bg-red-950 dark:text-red-200",
  busy: "bg-sky-100 text-sky-900 dark:bg-sky-950 dark:text-sky-200",
  wait: "bg-amber-100 text-amber-900 dark:bg-amber-950 dark:text-amber-200",
  none: "bg-zinc-200 text-zinc-800 dark:bg-zinc-800 dark:text-zinc-200",
} as const;
export type Tone = keyof typeof TONES;

export function Badge({ tone = "none", children }: { tone?: Tone; children: ReactNode }) {
  return (
    <span className={`inline-block rounded px-1.5 py-0.5 text-xs font-medium whitespace-nowrap ${TONES[tone]}`}>
      {children}
    </span>
  );
}

const STATUSES: Record<RunStatus, { tone: Tone; label: string }> = {
  PENDING: { tone: "wait", label: "Pending" },
  RUNNING: { tone: "busy", label: "Running" },
  DISCONNECTED: { tone: "wait", label: "Disconnected" },
  SUCCESS: { tone: "good", label: "Success" },
  ERROR: { tone: "bad", label: "Error" },
  TIMED_OUT: { tone: "bad", label: "Timed out" },
  CANCELED: { tone: "none", label: "Canceled" },
};
export const statusLabel = (status: RunStatus): string => STATUSES[status].label;

export function Status({ status }: { status: RunStatus }) {
  const { tone, label } = STATUSES[status];
  return <Badge tone={tone}>{label}</Badge>;
}

/** The current time, updated every few seconds. */
export function useNow(everyMs = 5_000): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

export function When({ time }: { time: string | null | undefined }) {
  const now = useNow();
  if (!time) return <span className="text-soft">never</span>;
  return (
    <time dateTime={time} title={formatTime(time)}>
      {formatRelative(time, now)}
    </time>
  );
}

export function Duration({ from, until }: { from: string | undefined; until: string | undefined }) {
  const now = useNow(1_000);
  if (!from) return <span className="text-soft">—</span>;
  return <span>{formatDuration((until ? Date.parse(until) : now) - Date.parse(from))}</span>;
}

const SHOWN_CHARS = 20_000;

/** A payload, always as text. A long one is cut until a person asks for all of it. */
export function Json({ value, label }: { value: unknown; label: string }) {
  const [whole, setWhole] = useState(false);
  const text = formatJson(value);
  const cut = !whole && text.length > SHOWN_CHARS;
  return (
    <section aria-label={label} className="flex flex-col gap-2">
      <div className="flex items-center justify-between">
        <h3 className="font-semibold">{label}</h3>
        <Copy text={text} />
      </div>
      <pre
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard must reach it to scroll.
        tabIndex={0}
        className="max-h-96 overflow-auto rounded-md border border-line bg-page p-3 font-mono text-xs break-words whitespace-pre-wrap"
      >
        {cut ? text.slice(0, SHOWN_CHARS) : text}
      </pre>
      {cut && (
        <button type="button" className="self-start underline" onClick={() => setWhole(true)}>
          Show all {text.length.toLocaleString()} characters
        </button>
      )}
    </section>
  );
}

export function Panel({ title, actions, children }: { title?: string; actions?: ReactNode; children: ReactNode }) {
  return (
    <section className="rounded-lg border border-line bg-panel p-4" {...(title && { "aria-label": title })}>
      {(title || actions) && (
        <div className="mb-3 flex flex-wrap items-center justify-between gap-2">
          {title && <h2 className="font-semibold">{title}</h2>}
          {actions}
        </div>
      )}
      {children}
    </section>
  );
}

export function PageTitle({ title, actions, children }: { title: string; actions?: ReactNode; children?: ReactNode }) {
  const { env } = usePlace();
  useEffect(() => {
    document.title = `${title} · ${env} · Switchyard`;
  }, [title, env]);
  return (
    <div className="mb-4 flex flex-wrap items-start justify-between gap-3">
      <div className="min-w-0">
        <h1 className="text-xl font-semibold break-words">{title}</h1>
        {children && <div className="mt-1 text-soft">{children}</div>}
      </div>
      {actions && <div className="flex flex-wrap gap-2">{actions}</div>}
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="rounded-lg border border-dashed border-line p-8 text-center">
      <p className="font-medium">{title}</p>
      {children && <div className="mt-1 text-soft">{children}</div>}
    </div>
  );
}

export function Loading() {
  return (
    <p role="status" className="p-4 text-soft">
      Loading …
    </p>
  );
}

export function Facts({ facts }: { facts: readonly (readonly [name: string, value: ReactNode])[] }) {
  return (
    <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1.5">
      {facts.map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="text-soft">{name}</dt>
          <dd className="data min-w-0 break-words">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
