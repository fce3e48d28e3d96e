// Calls from one object or Worker to a Durable Object.

/**
 * Makes the call, and makes it once more if the platform says that it may be repeated. `call` must take a fresh stub
 * each time, since a stub that failed stays broken. It must be idempotent: the first attempt may have been carried out.
 * Source: https://developers.cloudflare.com/durable-objects/best-practices/error-handling/
 */
export async function callWithRetry<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!isRetryable(error)) throw error;
    return call();
  }
}

function isRetryable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return "retryable" in error && error.retryable === true && !("overloaded" in error && error.overloaded === true);
}
