// `ctx.fetch`: the request of a host, and the outcome of one attempt at it.
import { z } from "zod";

/** A value that must not be shown: joined for the request only. */
export const SecureString = z.object({
  __secureString: z.literal(true),
  strings: z.array(z.string()),
  interpolations: z.array(z.string()),
});

/** Number, times and conditions of the attempts. Every part has the reference client's default. */
export const Retry = z.object({
  enabled: z.boolean().default(true),
  factor: z.number().min(1).max(100).default(1.8),
  /** Milliseconds. */
  maxTimeout: z.number().min(0).max(3_600_000).default(60_000),
  /** Milliseconds. */
  minTimeout: z.number().min(0).max(3_600_000).default(1_000),
  maxAttempts: z.number().int().min(1).max(100).default(10),
  statusCodes: z.array(z.number().int()).default([408, 429, 500, 502, 503, 504]),
});
export type Retry = z.infer<typeof Retry>;

export const FetchRequest = z.object({
  url: z.string().max(16_384),
  method: z.enum(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE"]),
  headers: z.record(z.string(), z.union([z.string(), SecureString])).optional(),
  body: z.unknown().optional(),
  retry: Retry.optional(),
});
export type FetchRequest = z.infer<typeof FetchRequest>;

/** Replaces a secure string wherever it is stored or shown. */
export const MASKED = "••••••";

/** A secure string as the request needs it: strings and interpolations in turn. */
function join({ strings, interpolations }: z.infer<typeof SecureString>): string {
  return strings.map((text, i) => text + (interpolations[i] ?? "")).join("");
}

type Headers = NonNullable<FetchRequest["headers"]>;

export function joinedHeaders(headers: Headers = {}): Record<string, string> {
  return mapHeaders(headers, (value) => (typeof value === "string" ? value : join(value)));
}

export function maskedHeaders(headers: Headers = {}): Record<string, string> {
  return mapHeaders(headers, (value) => (typeof value === "string" ? value : MASKED));
}

export function hasSecrets(headers: Headers = {}): boolean {
  return Object.values(headers).some((value) => typeof value !== "string");
}

function mapHeaders(headers: Headers, map: (value: Headers[string]) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, map(value)]));
}

/** One call, ready for an attempt. */
export interface OutgoingRequest {
  readonly url: string;
  readonly method: FetchRequest["method"];
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text, or null for no body. */
  readonly body: string | null;
}

export interface FetchedResponse {
  readonly status: number;
  readonly ok: boolean;
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed JSON if the response is JSON by its type and by its text; else text. Absent when empty. */
  readonly body?: unknown;
}

/** The outcome of one attempt. `failed` is final: there was no response to judge. */
export type Attempted =
  | { readonly kind: "response"; readonly response: FetchedResponse; readonly retryAfterMs: number | null }
  | { readonly kind: "failed"; readonly error: { readonly name: string; readonly message: string } };

/** The stateless entrypoint that makes the calls, as the object sees it. */
export interface OutgoingRpc {
  attempt(request: OutgoingRequest): Promise<Attempted>;
}
