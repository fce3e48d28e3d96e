import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson, contentDigest, nestedDeeperThan, utf8Length } from "./canonical-json.ts";

const json = fc.jsonValue({ depthSize: "medium", stringUnit: "binary" });
const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** The same value with its members in the order of their reversed keys. */
function reordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reordered);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]): [string, unknown] => [key, reordered(inner)]);
  return Object.fromEntries(entries.reverse());
}

describe("the canonical text of a value", () => {
  it.each([
    ["null", "null"],
    ["true", "true"],
    [" 12.50 ", "12.5"],
    ["-0", "0"],
    ["[-0, 0.0]", "[0,0]"],
    ["1e3", "1000"],
    ["1E400", "null"],
    ["1e21", "1e+21"],
    ['"a\\u0062"', '"ab"'],
    ['"\\/"', '"/"'],
    ['"\\u00e9"', '"é"'],
    ['"\\u2028"', '"\u2028"'],
    ['"\\ud83d\\ude00"', '"😀"'],
    ['"\\ud83d"', '"\\ud83d"'],
    ['"\\ude00\\ud83d"', '"\\ude00\\ud83d"'],
    ["[]", "[]"],
    ["{}", "{}"],
    ['{ "b": [1, { "d": 1, "c": 2 }], "a": {} }', '{"a":{},"b":[1,{"c":2,"d":1}]}'],
    ['{"10": 1, "9": 2, "": 3, "-1": 4}', '{"":3,"-1":4,"10":1,"9":2}'],
    ['{"a": 1, "B": 2, "é": 3, "_": 4}', '{"B":2,"_":4,"a":1,"é":3}'],
    // By code units a surrogate pair comes before U+FF5E; by code points it would come after.
    ['{"\\uff5e": 1, "\\ud83d\\ude00": 2}', '{"😀":2,"～":1}'],
    ['{"\\ud83d": 1}', '{"\\ud83d":1}'],
    ['{"__proto__": {"b": 1, "a": 2}, "constructor": null}', '{"__proto__":{"a":2,"b":1},"constructor":null}'],
    ['{"toJSON": 1, "length": 0}', '{"length":0,"toJSON":1}'],
    ['{"a": 1, "a": 2}', '{"a":2}'],
  ])("reads, for %s, %s", (source, canonical) => {
    expect(canonicalJson(JSON.parse(source))).toBe(canonical);
  });

  it("leaves out undefined members and writes undefined items as null, like JSON.stringify", () => {
    const value = { b: undefined, a: [undefined, 1] };
    expect(canonicalJson(value)).toBe('{"a":[null,1]}');
    expect(canonicalJson(undefined)).toBe("null");
  });

  it("parses to the same value", () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it("ignores the order of members", () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(canonicalJson(reordered(value))).toBe(canonicalJson(value));
      }),
    );
  });

  it("stays the same when it is read and written again", () => {
    fc.assert(
      fc.property(json, (value) => {
        const once = canonicalJson(value);
        expect(canonicalJson(JSON.parse(once))).toBe(once);
      }),
    );
  });

  it.each([
    ["the order of items", [1, 2], [2, 1]],
    ["a number and its text", 1, "1"],
    ["null and a missing member", { a: null }, {}],
    ["an array and an object of its items", ["a"], { 0: "a" }],
    ["nesting", [[1], 2], [[1, 2]]],
    ["two lone surrogates", "\ud800", "\ud801"],
    ["a lone surrogate and the replacement character", "\ud800", "\ufffd"],
    ["text that looks like structure", { a: '","b":"' }, { a: "", b: "" }],
  ])("differs for %s", (_, a, b) => {
    expect(canonicalJson(a)).not.toBe(canonicalJson(b));
  });

  it.each([5_000, 200_000])("comes out for %i nested arrays and objects", (depth) => {
    const arrays = "[".repeat(depth) + "]".repeat(depth);
    expect(canonicalJson(JSON.parse(arrays)) === arrays).toBe(true);
    const objects = `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
    expect(canonicalJson(JSON.parse(objects)) === objects).toBe(true);
  });
});

describe("the digest of a content", () => {
  it.each([
    ["", "e3b0c44298fc1c149afbf4c8996fb924"],
    ["abc", "ba7816bf8f01cfea414140de5dae2223"],
    ["é", "4a99557e4033c3539de2eb65472017ca"],
  ])("equals the first half of the SHA-256 of %j", async (text, digest) => {
    expect(hex(await contentDigest(text))).toBe(digest);
  });

  it("has 16 bytes in a buffer of its own", async () => {
    const digest = await contentDigest("abc");
    expect(digest.byteLength).toBe(16);
    expect(digest.buffer.byteLength).toBe(16);
  });

  it("differs for values that differ in a lone surrogate only, when made of canonical texts", async () => {
    const digests = ["\ud800", "\ud801", "\ufffd"].map((text) => contentDigest(canonicalJson(text)));
    expect(new Set((await Promise.all(digests)).map(hex)).size).toBe(3);
  });
});

describe("the UTF-8 length of a text", () => {
  it.each([
    ["", 0],
    ["a", 1],
    ["\u007f", 1],
    ["\u0080", 2],
    ["\u07ff", 2],
    ["\u0800", 3],
    ["\ud7ff", 3],
    ["\ue000", 3],
    ["\uffff", 3],
    ["😀", 4],
    ["\ud800", 3],
    ["\udfff", 3],
    ["\ude00\ud83d", 6],
    ["\ud83d\ud83d\ude00", 7],
    ["\ud83da", 4],
    ["a\ud83d", 4],
  ])("counts %j as %i", (text, bytes) => {
    expect(utf8Length(text)).toBe(bytes);
  });

  it("matches TextEncoder for any code units", () => {
    const unit = fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 0xd7f0, max: 0xe010 }));
    fc.assert(
      fc.property(fc.array(unit), (units) => {
        const text = String.fromCharCode(...units);
        expect(utf8Length(text)).toBe(new TextEncoder().encode(text).length);
      }),
    );
  });
});

describe("nesting", () => {
  it.each([
    ["1", 0, false],
    ["[]", 0, true],
    ["[]", 1, false],
    ['[1,{"a":[]},"[[[["]', 2, true],
    ['[1,{"a":[]},"[[[["]', 3, false],
    [`${"[".repeat(400_000)}${"]".repeat(400_000)}`, 399_999, true],
    [`${"[".repeat(400_000)}${"]".repeat(400_000)}`, 400_000, false],
  ])("compares the depth of %.20s with %i: %s", (text, levels, deeper) => {
    expect(nestedDeeperThan(JSON.parse(text), levels)).toBe(deeper);
  });
});
