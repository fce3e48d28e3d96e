import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { environmentIdFromBytes, keyIdFromBytes } from "./ids.ts";
import { type ApiKeyParts, bearerToken, deriveApiKey, type KeySecrets, parseKeySecrets, verifyApiKey } from "./keys.ts";

const base64 = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes));
const secretOf = (fill: number, length = 32) => base64(new Uint8Array(length).fill(fill));
const ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

const LIVE: Omit<ApiKeyParts, "secretVersion"> = {
  environmentSlug: "live",
  environmentId: "env_1Woh5tYaOUx6Qe",
  keyId: "key_10r5k9Mc1",
};

const slug = fc.array(fc.constantFrom(..."abcdefghijklmnopqrstuvwxyz"), { minLength: 1, maxLength: 32 });
const parts = fc.record({
  environmentSlug: slug.map((letters) => letters.join("")),
  environmentId: fc.uint8Array({ minLength: 10, maxLength: 10 }).map(environmentIdFromBytes),
  keyId: fc.uint8Array({ minLength: 6, maxLength: 6 }).map(keyIdFromBytes),
  secretVersion: fc.constantFrom(1, 2, 255),
});

let secrets: KeySecrets;
let others: KeySecrets;
beforeAll(async () => {
  secrets = await parseKeySecrets(`2:${secretOf(2)},1:${secretOf(1)},255:${secretOf(255)}`);
  others = await parseKeySecrets(`2:${secretOf(12)},1:${secretOf(11)},255:${secretOf(13)}`);
});

describe("a derived key", () => {
  it("names the parts it was derived from, in the form the reference client accepts", async () => {
    await fc.assert(
      fc.asyncProperty(parts, async (given) => {
        const key = await deriveApiKey(secrets, given);
        expect(key).toMatch(/^trigger_[a-z]+_[a-zA-Z0-9]+$/);
        expect(key.length).toBeLessThanOrEqual(128);
        expect(await verifyApiKey(secrets, key)).toEqual(given);
      }),
    );
  });

  it("repeats for the same parts, under the current secret unless a version is given", async () => {
    const key = await deriveApiKey(secrets, LIVE);
    expect(await deriveApiKey(secrets, { ...LIVE, secretVersion: 2 })).toBe(key);
    expect(await deriveApiKey(secrets, { ...LIVE, secretVersion: 1 })).not.toBe(key);
    expect(await verifyApiKey(secrets, key)).toEqual({ ...LIVE, secretVersion: 2 });
  });

  it("stays the same from release to release", async () => {
    // The expected text comes from node:crypto's createHmac, apart from this code.
    expect(await deriveApiKey(secrets, { ...LIVE, secretVersion: 1 })).toBe(
      "trigger_live_01E47KttnNdhlpWbBGHg8d6r8OOwRRMSim4CWBp8XwZGD",
    );
  });

  it.each([
    ["the slug", { environmentSlug: "development" }],
    ["the environment", { environmentId: "env_1Woh5tYaOUx6Qf" }],
    ["the key id", { keyId: "key_10r5k9Mc2" }],
    ["the version", { secretVersion: 1 }],
  ])("depends in its tag on %s", async (_, change) => {
    const tagOf = (key: string) => key.slice(-22);
    const [a, b] = [await deriveApiKey(secrets, LIVE), await deriveApiKey(secrets, { ...LIVE, ...change })];
    expect(tagOf(a)).not.toBe(tagOf(b));
  });

  it.each([
    ["an empty slug", { environmentSlug: "" }],
    ["a slug of 33 letters", { environmentSlug: "a".repeat(33) }],
    ["a slug with a capital", { environmentSlug: "Live" }],
    ["a slug with an underscore", { environmentSlug: "li_ve" }],
    ["a slug with a line end", { environmentSlug: "live\n" }],
    ["an environment id of another kind", { environmentId: "org_00000000000000" }],
    ["a key id of another kind", { keyId: "env_00000000000000" }],
    ["a version without a secret", { secretVersion: 3 }],
    ["version 0", { secretVersion: 0 }],
  ])("fails for %s", async (_, change) => {
    await expect(deriveApiKey(secrets, { ...LIVE, ...change })).rejects.toThrow(RangeError);
  });
});

describe("key verification", () => {
  const expectRefused = async (text: string): Promise<void> => {
    expect(await verifyApiKey(secrets, text), text.slice(0, 200)).toBeNull();
  };

  it("refuses any one exchanged character", async () => {
    const key = await deriveApiKey(secrets, LIVE);
    for (let at = 0; at < key.length; at++) {
      for (const char of [ALPHANUMERIC[at % 62], "_", "-", "0", "a", "z", "A"]) {
        if (char === key[at]) continue;
        await expectRefused(key.slice(0, at) + char + key.slice(at + 1));
      }
    }
  });

  it("refuses any one character inserted or deleted", async () => {
    const key = await deriveApiKey(secrets, LIVE);
    for (let at = 0; at <= key.length; at++) {
      if (at < key.length) await expectRefused(key.slice(0, at) + key.slice(at + 1));
      for (const char of ["0", "a", "z", "_", " ", "\n"]) await expectRefused(key.slice(0, at) + char + key.slice(at));
    }
  });

  it("refuses any one edit of any key", async () => {
    const edit = fc.record({
      at: fc.nat(100),
      remove: fc.constantFrom(0, 1),
      insert: fc.oneof(
        fc.constant(""),
        fc.constantFrom(...ALPHANUMERIC, "_"),
        fc.string({ minLength: 1, maxLength: 1 }),
      ),
    });
    await fc.assert(
      fc.asyncProperty(parts, edit, async (given, { at, remove, insert }) => {
        const key = await deriveApiKey(secrets, given);
        const where = at % (key.length + 1);
        const edited = key.slice(0, where) + insert + key.slice(where + remove);
        fc.pre(edited !== key);
        await expectRefused(edited);
      }),
    );
  });

  it("refuses the exchanged slugs of two environments", async () => {
    const live = await deriveApiKey(secrets, LIVE);
    const development = await deriveApiKey(secrets, { ...LIVE, environmentSlug: "development" });
    await expectRefused(live.replace("_live_", "_development_"));
    await expectRefused(development.replace("_development_", "_live_"));
  });

  it("refuses a slug's last letter moved into the rest, and back", async () => {
    const key = await deriveApiKey(secrets, LIVE);
    await expectRefused(key.replace("_live_", "_liv_e"));
    await expectRefused(key.replace("_live_", "_livee_"));
  });

  it("refuses the tag of one key on the ids of another", async () => {
    const [a, b] = [
      await deriveApiKey(secrets, LIVE),
      await deriveApiKey(secrets, { ...LIVE, keyId: "key_000000001" }),
    ];
    await expectRefused(a.slice(0, 30) + b.slice(30));
    await expectRefused(b.slice(0, 30) + a.slice(30));
  });

  it("refuses keys of another deployment, whatever their parts and version", async () => {
    await fc.assert(
      fc.asyncProperty(parts, async (given) => {
        await expectRefused(await deriveApiKey(others, given));
      }),
    );
  });

  it("accepts the key of an older version until that version is retired", async () => {
    const before = await parseKeySecrets(`1:${secretOf(1)}`);
    const during = await parseKeySecrets(`2:${secretOf(2)},1:${secretOf(1)}`);
    const after = await parseKeySecrets(`2:${secretOf(2)}`);
    const old = await deriveApiKey(before, LIVE);
    const fresh = await deriveApiKey(during, LIVE);
    expect(await verifyApiKey(during, old)).toEqual({ ...LIVE, secretVersion: 1 });
    expect(await verifyApiKey(during, fresh)).toEqual({ ...LIVE, secretVersion: 2 });
    expect(await verifyApiKey(after, fresh)).toEqual({ ...LIVE, secretVersion: 2 });
    expect(await verifyApiKey(after, old)).toBeNull();
    expect(await verifyApiKey(before, fresh)).toBeNull();
  });

  it("refuses the same secret under another version number", async () => {
    const renumbered = await parseKeySecrets(`1:${secretOf(2)}`);
    expect(await verifyApiKey(renumbered, await deriveApiKey(secrets, LIVE))).toBeNull();
  });

  it.each([
    ["nothing", ""],
    ["the prefix alone", "trigger_"],
    ["a slug alone", "trigger_live_"],
    ["no slug", `trigger__${"0".repeat(45)}`],
    ["zeros", `trigger_live_${"0".repeat(45)}`],
    ["a number that overflows", `trigger_live_${"z".repeat(45)}`],
    ["a capital in the slug", `trigger_Live_${"0".repeat(45)}`],
    ["a prefix in capitals", `TRIGGER_live_${"0".repeat(45)}`],
    ["another product's key", "sk_live_0123456789abcdef"],
    ["129 characters", `trigger_live_${"0".repeat(116)}`],
    ["a megabyte", "a".repeat(1 << 20)],
  ])("refuses %s", async (_, text) => {
    await expectRefused(text);
  });

  it("refuses arbitrary text, without throwing", async () => {
    const text = fc.oneof(fc.string({ unit: "binary" }), fc.stringMatching(/^trigger_[a-z]{1,5}_[0-9A-Za-z]{45}$/));
    await fc.assert(fc.asyncProperty(text, expectRefused));
  });
});

describe("the secrets' text", () => {
  it.each([
    ["one", () => `1:${secretOf(1)}`, 1, [1]],
    ["two, the first of them current", () => `2:${secretOf(2)},1:${secretOf(1)}`, 2, [2, 1]],
    ["a current one with the smaller number", () => `1:${secretOf(1)},9:${secretOf(9)}`, 1, [1, 9]],
    ["white space around entries and a last line end", () => ` 2:${secretOf(2)} , 1:${secretOf(1)}\n`, 2, [2, 1]],
    ["base64 without padding", () => `255:${secretOf(1).replaceAll("=", "")}`, 255, [255]],
    ["a secret of 64 bytes", () => `1:${secretOf(1, 64)}`, 1, [1]],
  ])("may contain %s", async (_, text, current, versions) => {
    const parsed = await parseKeySecrets(text());
    expect(parsed.current).toBe(current);
    expect([...parsed.byVersion.keys()]).toEqual(versions);
  });

  it("becomes keys that cannot be exported", async () => {
    for (const key of (await parseKeySecrets(`1:${secretOf(1)}`)).byVersion.values()) {
      expect(key.extractable).toBe(false);
      expect(key.usages).toEqual(["sign"]);
    }
  });

  const good = secretOf(7);
  it.each([
    ["", "entry 1: expected <version>:<base64>"],
    [good, "entry 1: expected <version>:<base64>"],
    [`1:${good},`, "entry 2: expected <version>:<base64>"],
    [`:${good}`, "entry 1: the version must be"],
    [`0:${good}`, "entry 1: the version must be"],
    [`256:${good}`, "entry 1: the version must be"],
    [`01:${good}`, "entry 1: the version must be"],
    [`1.0:${good}`, "entry 1: the version must be"],
    [`-1:${good}`, "entry 1: the version must be"],
    [`1 :${good}`, "entry 1: the version must be"],
    [`one:${good}`, "entry 1: the version must be"],
    [`1:${good},1:${secretOf(8)}`, "entry 2: the version is given twice"],
    [`1:${good},2:${good}`, "entry 2: the secret is the same"],
    ["1:", "entry 1: the secret is not base64"],
    ["1:====", "entry 1: the secret is not base64"],
    [`1:${good}:${good}`, "entry 1: the secret is not base64"],
    [`1: ${good}`, "entry 1: the secret is not base64"],
    [`1:${good.slice(0, 8)}\n${good.slice(8)}`, "entry 1: the secret is not base64"],
    [`1:${"A".repeat(45)}`, "entry 1: the secret is not base64"],
    [`1:${"-_".repeat(22)}`, "entry 1: the secret is not base64"],
    [`2:${good},1:${secretOf(7, 31)}`, "entry 2: the secret is shorter than 32 bytes"],
  ])("names the mistake in %j", async (text, message) => {
    await expect(parseKeySecrets(text)).rejects.toThrow(message);
  });

  it("appears in no error", async () => {
    for (const text of [`0:${good}`, `1:${good}!`, `1:${good},1:${good}`, good, `1:${secretOf(7, 31)}`]) {
      const error = await parseKeySecrets(text).catch(String);
      expect(error).toContain("key secrets");
      expect(error).not.toMatch(/BwcHBw/);
    }
  });
});

describe("the bearer token of a header", () => {
  it.each([
    ["Bearer abc", "abc"],
    ["bearer abc", "abc"],
    ["BEARER abc", "abc"],
    ["Bearer   abc", "abc"],
    ["Bearer trigger_live_09azAZ", "trigger_live_09azAZ"],
    ["Bearer a-._~+/b==", "a-._~+/b=="],
  ])("reads %j as %j", (header, token) => {
    expect(bearerToken(header)).toBe(token);
  });

  it.each([
    null,
    "",
    "Bearer",
    "Bearer ",
    "Bearer =",
    "Bearerabc",
    "Bearer\tabc",
    "Bearer abc ",
    "Bearer abc\n",
    " Bearer abc",
    "Bearer abc def",
    "Bearer abc, Bearer def",
    "Bearer abc,def",
    "Bearer a=b",
    'Bearer "abc"',
    "Bearer abc;x=1",
    "Bearer äbc",
    "Basic abc",
    "Token Bearer abc",
    "abc",
  ])("reads no token in %j", (header) => {
    expect(bearerToken(header)).toBeNull();
  });

  it("takes linear time", () => {
    expect(bearerToken(`Bearer ${" ".repeat(200_000)}`)).toBeNull();
    expect(bearerToken(`Bearer ${"=".repeat(200_000)} `)).toBeNull();
  });
});
