// Requests of the dashboard to the router: JSON over fetch, with the session's cookies. Any answer but a success
// becomes an ApiError with the router's own message.

export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly fields: readonly { readonly path: string; readonly message: string }[];
  constructor(status: number, message: string, fields: ApiError["fields"] = []) {
    super(message);
    this.status = status;
    this.fields = fields;
  }
}

type Method = "GET" | "POST" | "PATCH" | "DELETE";

/**
 * Sends a request to the API, with `body` as JSON. Rejects with an ApiError; status 0 if the router cannot be reached.
 */
export async function ask<T>(method: Method, path: string, body?: unknown): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      credentials: "same-origin",
      ...(body !== undefined && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    });
  } catch {
    throw new ApiError(0, "The router cannot be reached. Check that it is running, then try again.");
  }
  const text = await response.text();
  const answer = parse(text);
  if (response.ok) return answer as T;
  const { error, message, fields } = (answer ?? {}) as {
    error?: unknown;
    message?: unknown;
    fields?: ApiError["fields"];
  };
  const said = [error, message].find((each) => typeof each === "string") as string | undefined;
  throw new ApiError(
    response.status,
    said ?? `The request failed with status ${response.status}. Try again.`,
    fields ?? [],
  );
}

function parse(text: string): unknown {
  if (text === "") return null;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

/** A path below /api/v1; each `{}` is filled with the next part, encoded. */
export function path(template: string, ...parts: readonly string[]): string {
  const left = parts.values();
  return `/api/v1${template.replaceAll("{}", () => encodeURIComponent(left.next().value ?? ""))}`;
}

export function query(parameters: Readonly<Record<string, string | number | null | undefined>>): string {
  const given = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return given.length === 0 ? "" : `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
}
