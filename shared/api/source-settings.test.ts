import { describe, expect, it } from "vitest";
import { Handshake, Naming, Secrets, ServiceSlug, secretProblems, Verification } from "./source-settings.ts";

/** Each place with what is wrong there, as the management API answers it. */
function problems(
  schema: { safeParse(value: unknown): { error?: { issues: { path: PropertyKey[]; message: string }[] } } },
  value: unknown,
) {
  return (schema.safeParse(value).error?.issues ?? []).map(({ path, message }) => [path.join("."), message]);
}

describe("the verification of a source", () => {
  it.each([
    { scheme: "standard-webhooks" },
    { scheme: "none" },
    { scheme: "trigger", header: "X-Cal-Signature-256" },
    { scheme: "hmac", algorithm: "sha512", header: "x-sig", prefix: "sha512=", encoding: "base64url" },
    { scheme: "token", header: "X-Api-Key" },
  ])("may be %j", (value) => {
    expect(Verification.parse(value)).toEqual(value);
  });

  it("has no prefix unless one is given", () => {
    const given = { scheme: "hmac", algorithm: "sha256", header: "x-sig", encoding: "hex" };
    expect(Verification.parse(given)).toEqual({ ...given, prefix: "" });
  });

  it.each([
    { value: null, path: "", says: "this is an object: {scheme, …}" },
    { value: "github", path: "", says: "this is an object: {scheme, …}" },
    { value: {}, path: "scheme", says: "the scheme is one of standard-webhooks, github, stripe," },
    { value: { scheme: "sha1" }, path: "scheme", says: "the scheme is one of standard-webhooks, github, stripe," },
    { value: { scheme: "github", secret: "a" }, path: "", says: 'Unrecognized key: "secret"' },
    { value: { scheme: "trigger" }, path: "header", says: "a header's name is text" },
    { value: { scheme: "trigger", header: "" }, path: "header", says: "a header's name has letters" },
    { value: { scheme: "trigger", header: "X Signature" }, path: "header", says: "a header's name has letters" },
    { value: { scheme: "trigger", header: "X-Sig\n" }, path: "header", says: "a header's name has letters" },
    { value: { scheme: "token", header: "x".repeat(129) }, path: "header", says: "a header's name has at most 128" },
    {
      value: { scheme: "hmac", algorithm: "md5", header: "a", encoding: "hex" },
      path: "algorithm",
      says: "the algorithm is one of sha1, sha256, sha512",
    },
    {
      value: { scheme: "hmac", algorithm: "sha1", header: "a", encoding: "utf8" },
      path: "encoding",
      says: "the encoding is one of hex, base64, base64url",
    },
    {
      value: { scheme: "hmac", algorithm: "sha1", header: "a", encoding: "hex", prefix: "a b" },
      path: "prefix",
      says: "a prefix has at most 32 characters",
    },
  ])("is refused with what to do: $value", ({ value, path, says }) => {
    expect(problems(Verification, value)).toEqual([[path, expect.stringContaining(says)]]);
  });
});

describe("the naming of a source", () => {
  it.each([
    { from: "any" },
    { from: "header", header: "X-GitHub-Event" },
    { from: "body", paths: ["event.type", "type"] },
    { from: "body", paths: ["events.0.type"] },
    { from: "fixed", name: "a name" },
  ])("may be %j", (value) => {
    expect(Naming.parse(value)).toEqual(value);
  });

  it.each([
    { value: {}, path: "from", says: "from is one of header, body, fixed, any" },
    { value: { from: "query" }, path: "from", says: "from is one of header, body, fixed, any" },
    { value: [], path: "", says: "this is an object" },
    { value: { from: "body", paths: [] }, path: "paths", says: "give 1 to 4 paths" },
    { value: { from: "body", paths: "type" }, path: "paths", says: "give 1 to 4 paths" },
    { value: { from: "body", paths: ["a", "b", "c", "d", "e"] }, path: "paths", says: "give 1 to 4 paths" },
    { value: { from: "body", paths: ["a..b"] }, path: "paths.0", says: "a path names members of the body" },
    { value: { from: "body", paths: ["a", ""] }, path: "paths.1", says: "a path names members of the body" },
    { value: { from: "fixed", name: "" }, path: "name", says: "at least one character" },
    { value: { from: "fixed", name: "a".repeat(257) }, path: "name", says: "at most 256 characters" },
  ])("is refused with what to do: $value", ({ value, path, says }) => {
    expect(problems(Naming, value)).toEqual([[path, expect.stringContaining(says)]]);
  });
});

describe("the service of a source", () => {
  // As slug@6, which the reference client uses, makes them.
  it.each(["github", "typeformcom", "my-service", "5pel5pys"])("may be %s", (slug) => {
    expect(ServiceSlug.parse(slug)).toBe(slug);
  });
  it.each(["", "typeform.com", "GitHub", "my_service", "-a", "a--b", "a b", 5, "a".repeat(257)])(
    "is not %j",
    (slug) => {
      expect(problems(ServiceSlug, slug)).toHaveLength(1);
    },
  );
});

describe("the secrets of a source", () => {
  it.each([[[]], [["a"]], [["whsec_AAAA", "It's a Secret to Everybody"]]])("may be %j", (value) => {
    expect(Secrets.parse(value)).toEqual(value);
  });
  it.each([
    { value: "a", path: "", says: "secrets are a list" },
    { value: ["a", "b", "c", "d", "e"], path: "", says: "at most 4 secrets" },
    { value: [""], path: "0", says: "at least one character" },
    { value: ["a", "b\n"], path: "1", says: "printable ASCII" },
    { value: [" a"], path: "0", says: "printable ASCII" },
    { value: ["a".repeat(1025)], path: "0", says: "at most 1024 characters" },
    { value: [5], path: "0", says: "a secret is text" },
  ])("are refused with what to do, and without the secret: $value", ({ value, path, says }) => {
    expect(problems(Secrets, value)[0]).toEqual([path, expect.stringContaining(says)]);
  });

  it.each<{ verification: Verification; given: string[]; paths: (readonly number[])[] }>([
    { verification: { scheme: "github" }, given: ["anything"], paths: [] },
    { verification: { scheme: "github" }, given: [], paths: [[]] },
    { verification: { scheme: "none" }, given: [], paths: [] },
    { verification: { scheme: "none" }, given: ["a"], paths: [[]] },
    { verification: { scheme: "standard-webhooks" }, given: ["whsec_AAAA", "AAAA", "whpk_AAAA"], paths: [] },
    { verification: { scheme: "standard-webhooks" }, given: ["whsec_AAAA", "not base64"], paths: [[1]] },
    { verification: { scheme: "basic" }, given: ["user:pass:word", "user"], paths: [[1]] },
    { verification: { scheme: "bearer" }, given: ["a.b-c_d~e+f/==", "two words"], paths: [[1]] },
  ])(
    "that no delivery could be verified with are named: $verification.scheme $given",
    ({ verification, given, paths }) => {
      expect(secretProblems(verification, given).map(({ path }) => path)).toEqual(paths);
    },
  );
});

it("the handshake is refused with what there is", () => {
  expect(problems(Handshake, "zoom")).toEqual([["", "the handshake is one of none, slack, meta, microsoft"]]);
});
