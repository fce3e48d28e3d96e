// A start that cannot go on for a reason a person can mend. Its message is all that is shown: it says what to do.
export class StartError extends Error {
  override readonly name = "StartError";
}

/** Node's code of a system error, e.g. EADDRINUSE; undefined for any other error. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** What an error says, also when it stands for several that say it. */
export function errorText(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") return error.errors.map(errorText).join("; ");
  return error instanceof Error ? error.message : String(error);
}
