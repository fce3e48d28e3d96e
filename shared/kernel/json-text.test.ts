import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { searchableText, storableJson } from "./json-text.ts";

const postgresTakes = (text: string) => !text.includes("\u0000") && text.isWellFormed();

describe("storable JSON", () => {
  it.each([
    ['"\ud800"', '"\\ud800"'],
    ['{"\udc00":"a\u0000b"}', '{"\\udc00":"a\\u0000b"}'],
    ['"\ud83d\ude00"', '"\ud83d\ude00"'],
    ['"\ud83d\ud83d\ude00\ude00"', '"\\ud83d\ud83d\ude00\\ude00"'],
    ['"\\ud800"', '"\\ud800"'],
  ])("turns %j into %j", (text, stored) => {
    expect(storableJson(text)).toBe(stored);
  });

  it("passes Postgres and has the same value", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.array(fc.integer({ min: 0, max: 0xffff })), (text, units) => {
        const value = text + String.fromCharCode(...units);
        // A host may send halves of pairs unescaped in the text.
        const raw = `"${value.replaceAll(/["\\]|(?!\0)\p{Cc}/gu, "")}"`;
        const stored = storableJson(raw);
        expect(postgresTakes(stored)).toBe(true);
        expect(JSON.parse(stored)).toBe(raw.slice(1, -1));
      }),
    );
  });
});

describe("searchable text", () => {
  it("passes Postgres and its indexes, and stays the same for the same text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 1_000 }), (text) => {
        expect(postgresTakes(searchableText(text))).toBe(true);
        expect(searchableText(text).length).toBeLessThanOrEqual(256);
        expect(searchableText(text)).toBe(searchableText(text));
      }),
    );
    expect(searchableText("an order")).toBe("an order");
    expect(searchableText(`a\u0000${"x".repeat(254)}\ud83d\ude00`)).toBe(`a\ufffd${"x".repeat(254)}`.slice(0, 256));
  });
});
