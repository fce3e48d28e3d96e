// Formats of times, durations and payloads.

const dateTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "short" });
const UNITS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
] as const;

export const formatTime = (iso: string): string => dateTime.format(new Date(iso));

/** "5 min. ago", "in 2 hr." */
export function formatRelative(iso: string, now: number): string {
  const difference = Date.parse(iso) - now;
  const [unit, ms] = UNITS.find(([, size]) => Math.abs(difference) >= size) ?? (["second", 1_000] as const);
  return relative.format(Math.round(difference / ms), unit);
}

export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`;
  return `${Math.floor(ms / 3_600_000)} h ${Math.round((ms % 3_600_000) / 60_000)} min`;
}

/** JSON for people. Invisible characters, and those that would change the direction of the text, appear as escapes. */
export function formatJson(value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value, null, 2);
  } catch {
    return "This value is nested too deeply to display. Read it through the API.";
  }
  return (text ?? "undefined").replaceAll(
    /[\p{Cf}\p{Co}\u2028\u2029\u007f-\u009f]/gu,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`,
  );
}
