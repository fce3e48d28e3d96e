import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { base62Width, decodeBase62, decodeBase62Integer, encodeBase62, encodeBase62Integer } from "./base62.ts";

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const text = (width: number) =>
  fc.array(fc.constantFrom(...ALPHABET), { minLength: width, maxLength: width }).map((chars) => chars.join(""));
const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

describe("base62 of bytes", () => {
  it.each([
    [0, 0],
    [1, 2],
    [6, 9],
    [10, 14],
    [16, 22],
    [33, 45],
  ])("writes %i bytes in %i characters, the fewest that hold them", (length, width) => {
    expect(base62Width(length)).toBe(width);
    expect(62n ** BigInt(width) >= 256n ** BigInt(length)).toBe(true);
    if (width > 0) expect(62n ** BigInt(width - 1) < 256n ** BigInt(length)).toBe(true);
  });

  it.each([
    [[], ""],
    [[0], "00"],
    [[61], "0z"],
    [[62], "10"],
    [[255], "47"],
    [[0, 0, 0, 0, 0, 1], "000000001"],
    [[255, 255, 255, 255, 255, 255], "1HvWXNAa7"],
  ])("writes %j as %j", (bytes, written) => {
    expect(encodeBase62(Uint8Array.from(bytes))).toBe(written);
    expect(decodeBase62(written, bytes.length)).toEqual(Uint8Array.from(bytes));
  });

  it("round-trips any bytes in the stated width", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const encoded = encodeBase62(bytes);
        expect(encoded).toMatch(/^[0-9A-Za-z]*$/);
        expect(encoded).toHaveLength(base62Width(bytes.length));
        expect(decodeBase62(encoded, bytes.length)).toEqual(bytes);
      }),
    );
  });

  it("decodes no second text to the same bytes", () => {
    fc.assert(
      fc.property(text(9), (candidate) => {
        const bytes = decodeBase62(candidate, 6);
        if (bytes !== null) expect(encodeBase62(bytes)).toBe(candidate);
        else expect(candidate > "1HvWXNAa7").toBe(true);
      }),
    );
  });

  it("keeps the order of bytes in its texts", () => {
    fc.assert(
      fc.property(bytesOf(10), bytesOf(10), (a, b) => {
        const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
        expect(compare(encodeBase62(a), encodeBase62(b))).toBe(compare(hex(a), hex(b)));
      }),
    );
  });

  it.each([
    ["an empty text", "", 1],
    ["one character short", "0", 1],
    ["one character long", "000", 1],
    ["white space", " 0", 1],
    ["a hyphen", "0-", 1],
    ["an underscore", "_0", 1],
    ["a character beyond ASCII", "0é", 1],
    ["a digit of another script", "0٣", 1],
    ["a hyphen after a digit that has a value", "2-", 1],
    ["a character beyond ASCII after a digit that has a value", "2é", 1],
    ["one more than the bytes hold", "48", 1],
    ["the greatest text", "zz", 1],
    ["one more than six bytes hold", "1HvWXNAa8", 6],
    ["the greatest text of nine", "zzzzzzzzz", 6],
    ["a text where nothing is expected", "0", 0],
  ])("refuses %s", (_, candidate, length) => {
    expect(decodeBase62(candidate, length)).toBeNull();
  });
});

describe("base62 of integers", () => {
  it.each([
    [0, 9, "000000000"],
    [61, 1, "z"],
    [62, 2, "10"],
    [Number.MAX_SAFE_INTEGER, 9, "fFgnDxSe7"],
  ])("writes %i in %i characters as %j", (value, width, written) => {
    expect(encodeBase62Integer(value, width)).toBe(written);
    expect(decodeBase62Integer(written, width)).toBe(value);
  });

  it("round-trips every safe integer in nine characters, sorted alike", () => {
    const safe = fc.maxSafeNat();
    fc.assert(
      fc.property(safe, safe, (a, b) => {
        expect(decodeBase62Integer(encodeBase62Integer(a, 9), 9)).toBe(a);
        expect(compare(encodeBase62Integer(a, 9), encodeBase62Integer(b, 9))).toBe(Math.sign(a - b));
      }),
    );
  });

  it("decodes no second text to the same integer", () => {
    fc.assert(
      fc.property(text(9), (candidate) => {
        const value = decodeBase62Integer(candidate, 9);
        if (value !== null) expect(encodeBase62Integer(value, 9)).toBe(candidate);
        else expect(candidate > "fFgnDxSe7").toBe(true);
      }),
    );
  });

  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])("throws for %d", (value) => {
    expect(() => encodeBase62Integer(value, 9)).toThrow(RangeError);
  });

  it("throws for an integer that needs more characters", () => {
    expect(() => encodeBase62Integer(62, 1)).toThrow(RangeError);
  });

  it.each([
    ["one character short", "00000000"],
    ["one character long", "0000000000"],
    ["a sign", "-00000001"],
    ["a dot", "0000000.1"],
    ["2 ** 53", "fFgnDxSe8"],
    ["a carry into the unsafe", "fFgnDxSf0"],
    ["the greatest text", "zzzzzzzzz"],
  ])("refuses %s", (_, candidate) => {
    expect(decodeBase62Integer(candidate, 9)).toBeNull();
  });
});
