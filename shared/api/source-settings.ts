// The settings of a webhook source that say how a delivery is verified and how its event is named, as the management API
// takes and shows them. They hold no secrets: those are given beside them, as a list, so that they rotate without loss.
import { z } from "zod";
import {
  BODY_PATHS_MAX,
  HEADER_NAME_MAX_CHARS,
  NAME_MAX_CHARS,
  SECRET_MAX_CHARS,
  SECRETS_MAX,
} from "../kernel/limits.ts";

export const HeaderName = z
  .string("a header's name is text")
  .max(HEADER_NAME_MAX_CHARS, `a header's name has at most ${HEADER_NAME_MAX_CHARS} characters`)
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, "a header's name has letters, digits and hyphens, e.g. X-Signature");

export const HMAC_ALGORITHMS = ["sha1", "sha256", "sha512"] as const;
export type HmacAlgorithm = (typeof HMAC_ALGORITHMS)[number];
export const ENCODINGS = ["hex", "base64", "base64url"] as const;
export type Encoding = (typeof ENCODINGS)[number];

/** How each scheme proves who sent a delivery is said in workers/webhook/schemes, a file each. */
const SCHEMES = [
  "standard-webhooks",
  "github",
  "stripe",
  "slack",
  "shopify",
  "gitlab",
  "linear",
  "trigger",
  "hmac",
  "token",
  "bearer",
  "basic",
  "none",
] as const;
export type Scheme = (typeof SCHEMES)[number];

export const Verification = z
  .discriminatedUnion(
    "scheme",
    [
      z.strictObject({ scheme: z.literal("standard-webhooks") }),
      z.strictObject({ scheme: z.literal("github") }),
      z.strictObject({ scheme: z.literal("stripe") }),
      z.strictObject({ scheme: z.literal("slack") }),
      z.strictObject({ scheme: z.literal("shopify") }),
      z.strictObject({ scheme: z.literal("gitlab") }),
      z.strictObject({ scheme: z.literal("linear") }),
      // What a workflow asks for with `verifyPayload: {enabled: true, header}`.
      z.strictObject({ scheme: z.literal("trigger"), header: HeaderName }),
      z.strictObject({
        scheme: z.literal("hmac"),
        algorithm: z.enum(HMAC_ALGORITHMS, `the algorithm is one of ${HMAC_ALGORITHMS.join(", ")}`),
        header: HeaderName,
        prefix: z
          .string("a prefix is text")
          .regex(/^[\x21-\x7e]{0,32}$/, "a prefix has at most 32 characters, printable and without spaces")
          .default("")
          .meta({ description: "What stands before the signature, e.g. `sha256=`." }),
        encoding: z.enum(ENCODINGS, `the encoding is one of ${ENCODINGS.join(", ")}`),
      }),
      z.strictObject({ scheme: z.literal("token"), header: HeaderName }),
      z.strictObject({ scheme: z.literal("bearer") }),
      z.strictObject({ scheme: z.literal("basic") }),
      z.strictObject({ scheme: z.literal("none") }),
    ],
    {
      error: (issue) =>
        issue.code === "invalid_union"
          ? `the scheme is one of ${SCHEMES.join(", ")}`
          : "this is an object: {scheme, …}",
    },
  )
  .meta({ description: "How a delivery proves who sent it. `none` lets anyone who knows the URL start runs." });
export type Verification = z.infer<typeof Verification>;

/** Members of the body joined by dots; items of a list by their number, e.g. `events.0.type`. */
const BodyPath = z
  .string("a path is text")
  .max(NAME_MAX_CHARS, `a path has at most ${NAME_MAX_CHARS} characters`)
  .regex(/^[^.]+(\.[^.]+)*$/, "a path names members of the body, joined by dots, e.g. event.type");

const paths = `give 1 to ${BODY_PATHS_MAX} paths; the first that leads to text is the name`;
export const Naming = z
  .discriminatedUnion(
    "from",
    [
      z.strictObject({ from: z.literal("header"), header: HeaderName }),
      z.strictObject({
        from: z.literal("body"),
        paths: z.array(BodyPath, paths).min(1, paths).max(BODY_PATHS_MAX, paths),
      }),
      z.strictObject({
        from: z.literal("fixed"),
        name: z
          .string("a name is text")
          .min(1, "a name has at least one character")
          .max(NAME_MAX_CHARS, `a name has at most ${NAME_MAX_CHARS} characters`),
      }),
      z.strictObject({ from: z.literal("any") }),
    ],
    {
      error: (issue) =>
        issue.code === "invalid_union" ? "from is one of header, body, fixed, any" : "this is an object: {from, …}",
    },
  )
  .meta({ description: "Where the event's name comes from. `any`: a delivery matches every name registered for it." });
export type Naming = z.infer<typeof Naming>;

export const HANDSHAKES = ["none", "slack", "meta", "microsoft"] as const;
export const Handshake = z
  .enum(HANDSHAKES, `the handshake is one of ${HANDSHAKES.join(", ")}`)
  .meta({ description: "The question by which a provider makes sure that the URL is yours, before it delivers." });
export type Handshake = z.infer<typeof Handshake>;

/**
 * What the reference client makes of a workflow's `service` (`typeform.com` becomes `typeformcom`), and so what a source
 * must be called to be met by it.
 */
export const ServiceSlug = z
  .string("a service is text")
  .max(NAME_MAX_CHARS, `a service has at most ${NAME_MAX_CHARS} characters`)
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, "a service has letters a to z, digits and hyphens: typeform.com is typeformcom");

/** One secret. It travels in headers, so it is visible ASCII; a secret that was pasted with its line end is refused. */
const Secret = z
  .string("a secret is text")
  .min(1, "a secret has at least one character")
  .max(SECRET_MAX_CHARS, `a secret has at most ${SECRET_MAX_CHARS} characters`)
  .regex(/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/, "a secret has printable ASCII characters, no space at its ends");
const secrets = `give at most ${SECRETS_MAX} secrets`;
/** All of them are tried, so a new one is added before the provider begins to use it, and the old one removed after. */
export const Secrets = z.array(Secret, "secrets are a list").max(SECRETS_MAX, secrets);

/**
 * Why these secrets cannot serve this verification, by place; empty when they can. For the management API: a secret that
 * no delivery could ever be verified with is refused when it is given, not when the first delivery comes.
 */
export function secretProblems(verification: Verification, given: readonly string[]): SecretProblem[] {
  if (verification.scheme === "none") {
    return given.length === 0 ? [] : [{ path: [], message: "the scheme none takes no secrets: choose another scheme" }];
  }
  if (given.length === 0) return [{ path: [], message: `the scheme ${verification.scheme} needs at least one secret` }];
  return given.flatMap((secret, index) => {
    const message = secretProblem(verification.scheme, secret);
    return message === null ? [] : [{ path: [index], message }];
  });
}
export interface SecretProblem {
  /** The place in the list; empty for the list itself. */
  readonly path: readonly number[];
  readonly message: string;
}

const STANDARD_SECRET = /^(whsec_|whpk_)?[A-Za-z0-9+/]+={0,2}$/;

function secretProblem(scheme: Scheme, secret: string): string | null {
  if (scheme === "standard-webhooks" && !STANDARD_SECRET.test(secret)) {
    return "a secret of Standard Webhooks is base64, with or without whsec_ before it (whpk_ for a public key)";
  }
  if (scheme === "bearer" && !/^[A-Za-z0-9\-._~+/]+=*$/.test(secret)) {
    return "a secret of the scheme bearer has letters, digits and -._~+/ only, and = at its end";
  }
  if (scheme === "basic" && !/^[^:]+:/.test(secret)) return "a secret of the scheme basic is user:password";
  return null;
}
