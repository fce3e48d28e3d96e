// A start failed for a reason that a person can fix. Only its message is shown, so the message says what to do.
export class StartError extends Error {
  override readonly name = "StartError";
}

/** Node's code of a system error, e.g. EADDRINUSE; undefined for any other error. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** The text of an error, also of one that stands for several. */
export function errorText(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") return error.errors.map(errorText).join("; ");
  return error instanceof Error ? error.message : String(error);
}
