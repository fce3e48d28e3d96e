// For tests: signs as each provider does, written from their documentation and apart from the code that verifies.
import type { HmacAlgorithm, Verification } from "../../../shared/api/source-settings.ts";

/** A scheme as its sender sees it. */
export interface Sender {
  readonly name: string;
  readonly verification: Verification;
  readonly secret: string;
  readonly otherSecret: string;
  /** The header with the signature or token. */
  readonly proof: string;
  /** What else must be there. */
  readonly others: readonly string[];
  /** Where the signed time stands: a header of its own, within the proof, or nowhere. */
  readonly time: string | "in the proof" | null;
  /** Whether the body is signed, or only the sender known. */
  readonly signsBody: boolean;
  readonly encoding: "hex" | "base64" | "base64url" | null;
  /** The headers of a delivery; `time` is the text that stands for the time. */
  sign(body: Uint8Array, time: string, secret: string): Promise<Record<string, string>>;
}

const HASHES = { sha1: "SHA-1", sha256: "SHA-256", sha512: "SHA-512" } as const;
const bytesOf = (text: string) => new TextEncoder().encode(text);
const hex = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const base64 = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes));
const base64url = (bytes: Uint8Array) => base64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
export const ENCODE = { hex, base64, base64url };

export async function hmac(algorithm: HmacAlgorithm, key: Uint8Array, ...parts: Uint8Array[]): Promise<Uint8Array> {
  const settings = { name: "HMAC", hash: HASHES[algorithm] };
  const imported = await crypto.subtle.importKey("raw", new Uint8Array(key), settings, false, ["sign"]);
  const content = new Uint8Array(parts.flatMap((part) => [...part]));
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, content));
}

function ofBody(
  name: string,
  verification: Verification,
  how: { header: string; algorithm?: HmacAlgorithm; prefix?: string; encoding?: "hex" | "base64" | "base64url" },
): Sender {
  const { header, algorithm = "sha256", prefix = "", encoding = "hex" } = how;
  return {
    name,
    verification,
    secret: "a secret",
    otherSecret: "another secret",
    proof: header,
    others: [],
    time: null,
    signsBody: true,
    encoding,
    sign: async (body, _time, secret) => ({
      [header]: prefix + ENCODE[encoding](await hmac(algorithm, bytesOf(secret), body)),
    }),
  };
}

function ofToken(name: string, verification: Verification, header: string, write: (secret: string) => string): Sender {
  return {
    name,
    verification,
    // Basic needs both parts; to the others it is one token.
    secret: verification.scheme === "basic" ? "user:password" : "a-token",
    otherSecret: verification.scheme === "basic" ? "user:other" : "another-token",
    proof: header,
    others: [],
    time: null,
    signsBody: false,
    encoding: null,
    sign: async (_body, _time, secret) => ({ [header]: write(secret) }),
  };
}

function standard(family: "webhook" | "svix"): Sender {
  return {
    name: `standard-webhooks, headers of ${family}`,
    verification: { scheme: "standard-webhooks" },
    secret: `whsec_${btoa("24 bytes of the first one")}`,
    otherSecret: `whsec_${btoa("24 bytes of the other one")}`,
    proof: `${family}-signature`,
    others: [`${family}-id`, `${family}-timestamp`],
    time: `${family}-timestamp`,
    signsBody: true,
    encoding: "base64",
    sign: async (body, time, secret) => {
      const key = Uint8Array.from(atob(secret.slice("whsec_".length)), (char) => char.charCodeAt(0));
      return {
        [`${family}-id`]: "msg_1",
        [`${family}-timestamp`]: time,
        [`${family}-signature`]: `v1,${base64(await hmac("sha256", key, bytesOf(`msg_1.${time}.`), body))}`,
      };
    },
  };
}

const STRIPE: Sender = {
  ...ofBody("stripe", { scheme: "stripe" }, { header: "stripe-signature" }),
  time: "in the proof",
  sign: async (body, time, secret) => {
    const signature = hex(await hmac("sha256", bytesOf(secret), bytesOf(`${time}.`), body));
    return { "stripe-signature": `t=${time},v1=${signature}` };
  },
};

const SLACK: Sender = {
  ...ofBody("slack", { scheme: "slack" }, { header: "x-slack-signature" }),
  others: ["x-slack-request-timestamp"],
  time: "x-slack-request-timestamp",
  sign: async (body, time, secret) => ({
    "x-slack-request-timestamp": time,
    "x-slack-signature": `v0=${hex(await hmac("sha256", bytesOf(secret), bytesOf(`v0:${time}:`), body))}`,
  }),
};

const HMACS = (["sha1", "sha256", "sha512"] as const).flatMap((algorithm) =>
  (["hex", "base64", "base64url"] as const).map((encoding) => {
    const settings = { header: "x-mine", algorithm, prefix: `${algorithm}=`, encoding };
    return ofBody(`hmac, ${algorithm} in ${encoding}`, { scheme: "hmac", ...settings }, settings);
  }),
);

export const SENDERS: readonly Sender[] = [
  ofBody("github", { scheme: "github" }, { header: "x-hub-signature-256", prefix: "sha256=" }),
  ofBody("shopify", { scheme: "shopify" }, { header: "x-shopify-hmac-sha256", encoding: "base64" }),
  ofBody("linear", { scheme: "linear" }, { header: "linear-signature" }),
  ofBody("trigger", { scheme: "trigger", header: "X-Cal-Signature-256" }, { header: "X-Cal-Signature-256" }),
  ...HMACS,
  STRIPE,
  SLACK,
  standard("webhook"),
  standard("svix"),
  ofToken("gitlab", { scheme: "gitlab" }, "x-gitlab-token", (secret) => secret),
  ofToken("token", { scheme: "token", header: "X-Api-Key" }, "X-Api-Key", (secret) => secret),
  ofToken("bearer", { scheme: "bearer" }, "authorization", (secret) => `Bearer ${secret}`),
  ofToken("basic", { scheme: "basic" }, "authorization", (secret) => `Basic ${btoa(secret)}`),
];
