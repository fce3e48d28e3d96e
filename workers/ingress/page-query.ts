// The parameters that every list takes.
import { PAGE_MAX } from "../../shared/kernel/limits.ts";

export const LIMIT_FORM = `limit must be a whole number from 1 to ${PAGE_MAX}.`;
export const NO_SUCH_CURSOR = "cursor must be the `next` of an earlier page.";

/** The number, `preset` when there is none, or null when it is not one from 1 to `most`. */
export function wholeNumber(text: string | null, preset: number, most: number): number | null {
  if (text === null) return preset;
  if (!/^\d{1,9}$/.test(text)) return null;
  const value = Number(text);
  return value >= 1 && value <= most ? value : null;
}
