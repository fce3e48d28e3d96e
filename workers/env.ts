// Bindings and settings of the script. A group of settings is checked once, when a part that needs it first asks.
// Settings that routing does not need (Postgres, the setup token) cannot stop it. An error names the setting and says
// how to set it; it never holds the value.
import { z } from "zod";
import type { EnvironmentRpc } from "../shared/contracts/environment.ts";
import type { ScheduleBookRpc } from "../shared/contracts/schedule-book.ts";
import type { SourceBookRpc, SourceRpc } from "../shared/contracts/webhook-source.ts";
import type { DatabaseSettings } from "../shared/db/client.ts";
import { type KeySecrets, parseKeySecrets } from "../shared/ids/keys.ts";
import { STORAGE_MAX_BYTES } from "../shared/kernel/limits.ts";

/** The class in workers/environment as its callers see it. */
export type EnvironmentObject = EnvironmentRpc & Rpc.DurableObjectBranded;

/** The classes in workers/webhook as their callers see them. */
export type WebhookSourceObject = SourceRpc & Rpc.DurableObjectBranded;
export type SourceBookObject = SourceBookRpc & Rpc.DurableObjectBranded;

/** The class in workers/scheduler as its callers see it. */
export type ScheduleBookObject = ScheduleBookRpc & Rpc.DurableObjectBranded;

/** The class in workers/console as its callers see it. */
export type RepairsObject = Rpc.DurableObjectBranded & {
  /** Announces a change of these environments; the returned ticket settles it. */
  expect(environmentIds: readonly string[]): Promise<string>;
  settle(ticket: string): Promise<void>;
};

/** Everything that Cloudflare hands to the script: the object namespaces, and the settings, unchecked. */
export interface Env {
  /** One object per environment, by the environment's id: `env.ENVIRONMENT.getByName(environmentId)`. */
  readonly ENVIRONMENT: DurableObjectNamespace<EnvironmentObject>;
  /** One object for the deployment: repairs changes that did not reach an environment's object. */
  readonly REPAIRS: DurableObjectNamespace<RepairsObject>;
  /** One object per webhook source, by its name (shared/ids/source-ids.ts). */
  readonly WEBHOOK_SOURCE: DurableObjectNamespace<WebhookSourceObject>;
  /** One object per organization that knows its sources, by the organization's id. */
  readonly SOURCE_BOOK: DurableObjectNamespace<SourceBookObject>;
  /** Several objects that know when an environment has a due schedule, named by shared/contracts/schedule-book.ts. */
  readonly SCHEDULE_BOOK: DurableObjectNamespace<ScheduleBookObject>;
  /** Counted by the platform, with the limits of wrangler.toml; see platform/rate-limits.ts. */
  readonly ADDRESS_LIMIT?: RateLimit;
  readonly KEY_LIMIT?: RateLimit;
  readonly FAILURE_LIMIT?: RateLimit;
  readonly KEY_SECRETS?: string;
  readonly SETUP_TOKEN?: string;
  readonly GITHUB_CLIENT_ID?: string;
  readonly GITHUB_CLIENT_SECRET?: string;
  readonly DATABASE_URL?: string;
  readonly DATABASE_ENDPOINT?: string;
  readonly CLOCK?: string;
  readonly LOG_LEVEL?: string;
  readonly PRIVATE_TARGETS?: string;
  readonly RATE_LIMITS?: string;
  readonly ARCHIVE_EVERY_MINUTES?: string;
  readonly ARCHIVE_AFTER_EVENTS?: string;
  readonly STORAGE_MAX_BYTES?: string;
  /** For large payloads of ended runs, if it is bound. */
  readonly HISTORY_BUCKET?: R2Bucket;
}

/** A setting is missing or malformed. The message is for the operator of the router. */
export class SettingError extends Error {
  override readonly name = "SettingError";
}

const secret = (name: string, form: string) =>
  `the setting ${name} is missing or malformed; run \`wrangler secret put ${name}\` and enter ${form}`;
const variable = (name: string, form: string) =>
  `the setting ${name} is malformed; set it to ${form} under [vars] in wrangler.toml, or remove it`;

const HOW_TO_SET_KEY_SECRETS = secret("KEY_SECRETS", "1:<base64 of 32 random bytes>");
const HOW_TO_SET_DATABASE_URL = secret("DATABASE_URL", "postgresql://user:password@host/database");

const Routing = z.object({
  /** `<version>:<base64>,…`, the current secret first; `keySecrets` reads it. */
  KEY_SECRETS: z.string(HOW_TO_SET_KEY_SECRETS).min(1, HOW_TO_SET_KEY_SECRETS),
  /** `movable` lets tests move the router's time. */
  CLOCK: z.enum(["real", "movable"], variable("CLOCK", "real")).default("real"),
  LOG_LEVEL: z
    .enum(["debug", "info", "warn", "error"], variable("LOG_LEVEL", "debug, info, warn or error"))
    .default("info"),
  /** `allowed` lets `ctx.fetch` call private, loopback and link-local addresses: for a local router only. */
  PRIVATE_TARGETS: z.enum(["refused", "allowed"], variable("PRIVATE_TARGETS", "refused")).default("refused"),
});

const count = (name: string, form: string, least: number, otherwise: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, variable(name, form))
    .transform(Number)
    .refine((value) => value >= least, variable(name, form))
    .default(otherwise);

const History = z.object({
  /**
   * Minutes between archive passes, so that Postgres sleeps in between; 0: only on request, or when much has gathered.
   */
  ARCHIVE_EVERY_MINUTES: count("ARCHIVE_EVERY_MINUTES", "a whole number of minutes, 0 for never", 0, 360),
  /** Events of an environment that start an archive pass before its time. */
  ARCHIVE_AFTER_EVENTS: count("ARCHIVE_AFTER_EVENTS", "a whole number from 1", 1, 50_000),
  /** For tests: the storage of one object. Defaults to the platform's limit. */
  STORAGE_MAX_BYTES: count("STORAGE_MAX_BYTES", "a whole number from 1", 1, STORAGE_MAX_BYTES),
});

const RateLimits = z.object({
  /** Off for a local router: a load test comes from one address. */
  RATE_LIMITS: z.enum(["on", "off"], variable("RATE_LIMITS", "on or off")).default("on"),
});

const Setup = z.object({
  /** Allows its bearer to create organizations (RFC 6750's alphabet). Without it nobody may, over HTTP. */
  SETUP_TOKEN: z
    .string()
    .regex(/^[A-Za-z0-9\-._~+/]{16,}=*$/, secret("SETUP_TOKEN", "16 or more random letters and digits"))
    .optional(),
});

const SignIn = z
  .object({ GITHUB_CLIENT_ID: z.string().min(1).optional(), GITHUB_CLIENT_SECRET: z.string().min(1).optional() })
  .refine((env) => (env.GITHUB_CLIENT_ID === undefined) === (env.GITHUB_CLIENT_SECRET === undefined), {
    error:
      "only one of GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET is set; set both with `wrangler secret put`, or neither",
  })
  .transform(({ GITHUB_CLIENT_ID: clientId, GITHUB_CLIENT_SECRET: clientSecret }) => ({
    github: clientId !== undefined && clientSecret !== undefined ? { clientId, clientSecret } : null,
  }));

const Postgres = z
  .object({
    DATABASE_URL: z.string(HOW_TO_SET_DATABASE_URL).refine(isDatabaseUrl, HOW_TO_SET_DATABASE_URL),
    DATABASE_ENDPOINT: z
      .url({ protocol: /^https?$/, error: variable("DATABASE_ENDPOINT", "the URL of a SQL over HTTP endpoint") })
      .optional(),
  })
  .transform((env): DatabaseSettings => ({ url: env.DATABASE_URL, endpoint: env.DATABASE_ENDPOINT }));

/** The settings that routing needs. Throws a SettingError when one is missing or malformed. */
export const parseSettings = onceForEach((env) => check(Routing, env));

/** The times of archive passes, and the storage limit of an object. Throws a SettingError. */
export const parseHistorySettings = onceForEach((env) => check(History, env));

/** The switch of the rate limits. Throws a SettingError. */
export const parseRateLimitSettings = onceForEach((env) => check(RateLimits, env));

/** The setup token, for setting up over HTTP. Throws a SettingError. */
export const parseSetupSettings = onceForEach((env) => check(Setup, env));

/** The ways to sign in besides a password; `github` is null without its credentials. Throws a SettingError. */
export const parseSignInSettings = onceForEach((env) => check(SignIn, env));

/**
 * The address of Postgres. Throws a SettingError, also if it is not set: then nothing can be managed, but routing
 * works.
 */
export const parseDatabaseSettings = onceForEach((env) => check(Postgres, env));

/** The secrets that keys are derived with, imported once. Rejects with a SettingError. */
export const keySecrets = onceForEach(async (env): Promise<KeySecrets> => {
  const text = parseSettings(env).KEY_SECRETS;
  try {
    return await parseKeySecrets(text);
  } catch (error) {
    // The message tells the mistake and its place, never the text itself.
    throw new SettingError(`${HOW_TO_SET_KEY_SECRETS} (${error instanceof Error ? error.message : "unreadable"})`);
  }
});

/** Remembers the result for each `env`: an isolate has one, and it never changes. */
function onceForEach<T>(read: (env: Env) => T): (env: Env) => T {
  const known = new WeakMap<Env, T>();
  return (env) => {
    const before = known.get(env);
    if (before !== undefined) return before;
    const value = read(env);
    known.set(env, value);
    return value;
  };
}

function check<T>(schema: z.ZodType<T>, env: Env): T {
  const parsed = schema.safeParse(env);
  if (!parsed.success) throw new SettingError(parsed.error.issues.map((issue) => issue.message).join("; "));
  return parsed.data;
}

/** The driver demands this form; its own error would quote the text. */
function isDatabaseUrl(text: string): boolean {
  if (!/^postgres(ql)?:\/\//.test(text) || !URL.canParse(text)) return false;
  const { username, hostname, pathname } = new URL(text);
  return username !== "" && hostname !== "" && pathname.length > 1;
}
