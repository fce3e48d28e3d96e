// The settings: the accepted form of each, and the error for any other.
import { describe, expect, test } from "vitest";
import { type Env, keySecrets, parseDatabaseSettings, parseSettings, parseSetupSettings, SettingError } from "./env.ts";

const SECRET = btoa("a secret of thirty-two bytes, ok");
const KEY_SECRETS = `1:${SECRET}`;
const objects = {
  ENVIRONMENT: {} as Env["ENVIRONMENT"],
  REPAIRS: {} as Env["REPAIRS"],
  WEBHOOK_SOURCE: {} as Env["WEBHOOK_SOURCE"],
  SOURCE_BOOK: {} as Env["SOURCE_BOOK"],
  SCHEDULE_BOOK: {} as Env["SCHEDULE_BOOK"],
};
const envWith = (settings: Omit<Env, keyof typeof objects>): Env => ({ ...objects, ...settings });

/** The message of the SettingError that `read` throws. */
async function refusal(read: () => unknown): Promise<string> {
  const error = await Promise.resolve()
    .then(read)
    .then(
      () => null,
      (reason: unknown) => reason,
    );
  expect(error).toBeInstanceOf(SettingError);
  return error instanceof Error ? error.message : "";
}

test("needs the key secrets only, for routing", () => {
  expect(parseSettings(envWith({ KEY_SECRETS }))).toEqual({
    KEY_SECRETS,
    CLOCK: "real",
    LOG_LEVEL: "info",
    PRIVATE_TARGETS: "refused",
  });
});

test("routes although settings of other parts are missing or malformed", () => {
  expect(parseSettings(envWith({ KEY_SECRETS, DATABASE_URL: "nonsense", SETUP_TOKEN: "short" })).CLOCK).toBe("real");
});

test("imports the secrets once for an env", async () => {
  const env = envWith({ KEY_SECRETS });
  expect(keySecrets(env)).toBe(keySecrets(env));
  expect((await keySecrets(env)).current).toBe(1);
});

describe("the error of a setting", () => {
  test.each([
    ["KEY_SECRETS", {}, (env: Env) => parseSettings(env), "wrangler secret put KEY_SECRETS"],
    ["KEY_SECRETS", { KEY_SECRETS: "" }, (env: Env) => parseSettings(env), "wrangler secret put KEY_SECRETS"],
    ["KEY_SECRETS", { KEY_SECRETS: "1:c2hvcnQ=" }, (env: Env) => keySecrets(env), "shorter than 32 bytes"],
    ["CLOCK", { KEY_SECRETS, CLOCK: "fast" }, (env: Env) => parseSettings(env), "[vars] in wrangler.toml"],
    ["LOG_LEVEL", { KEY_SECRETS, LOG_LEVEL: "loud" }, (env: Env) => parseSettings(env), "debug, info, warn or error"],
    ["PRIVATE_TARGETS", { KEY_SECRETS, PRIVATE_TARGETS: "yes" }, (env: Env) => parseSettings(env), "refused"],
    ["SETUP_TOKEN", { SETUP_TOKEN: "fifteen-letters" }, (env: Env) => parseSetupSettings(env), "16 or more"],
    [
      "SETUP_TOKEN",
      { SETUP_TOKEN: "not a bearer token!" },
      (env: Env) => parseSetupSettings(env),
      "wrangler secret put",
    ],
    ["DATABASE_URL", {}, (env: Env) => parseDatabaseSettings(env), "wrangler secret put DATABASE_URL"],
    ["DATABASE_URL", { DATABASE_URL: "mysql://u:p@h/d" }, (env: Env) => parseDatabaseSettings(env), "postgresql://"],
    ["DATABASE_URL", { DATABASE_URL: "postgresql://h" }, (env: Env) => parseDatabaseSettings(env), "postgresql://"],
    [
      "DATABASE_ENDPOINT",
      { DATABASE_URL: "postgresql://u:p@h/d", DATABASE_ENDPOINT: "localhost" },
      (env: Env) => parseDatabaseSettings(env),
      "SQL over HTTP",
    ],
  ])("names %s for %j, and the way to set it", async (name, settings, read, how) => {
    const message = await refusal(() => read(envWith(settings)));
    expect(message).toContain(`the setting ${name}`);
    expect(message).toContain(how);
  });
});

test("holds no value in an error", async () => {
  const values = {
    KEY_SECRETS: `1:${SECRET},1:${SECRET}`,
    SETUP_TOKEN: "s3cr3t value!!!!!!",
    DATABASE_URL: "postgresql://user:s3cr3t",
    CLOCK: "s3cr3t",
  };
  const env = envWith(values);
  const messages = await Promise.all([
    refusal(() => parseSettings(env)),
    refusal(() => keySecrets(envWith({ KEY_SECRETS: values.KEY_SECRETS }))),
    refusal(() => parseSetupSettings(env)),
    refusal(() => parseDatabaseSettings(env)),
  ]);
  for (const message of messages) {
    expect(message).not.toContain("s3cr3t");
    expect(message).not.toContain(SECRET);
  }
});

test("has no setup token by default, and finds Postgres by its settings", () => {
  expect(parseSetupSettings(envWith({})).SETUP_TOKEN).toBeUndefined();
  const settings = { DATABASE_URL: "postgresql://u:p@h/d", DATABASE_ENDPOINT: "http://127.0.0.1:4444/sql" };
  expect(parseDatabaseSettings(envWith(settings))).toEqual({
    url: settings.DATABASE_URL,
    endpoint: settings.DATABASE_ENDPOINT,
  });
});
