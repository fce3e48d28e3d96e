import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WEBHOOK_BODY_MAX_BYTES, WEBHOOK_BODY_MAX_DEPTH } from "../../shared/kernel/limits.ts";
import { parseBody } from "./body.ts";

const JSON_TYPE = "application/json";
const FORM_TYPE = "application/x-www-form-urlencoded";
const bytes = (text: string) => new TextEncoder().encode(text);

describe("a body of JSON", () => {
  it.each([
    { type: JSON_TYPE, text: '{"a":[1]}', value: { a: [1] } },
    { type: "Application/JSON; charset=utf-8", text: "[]", value: [] },
    { type: "application/vnd.api+json", text: '"text"', value: "text" },
    { type: null, text: '{"a":1}', value: { a: 1 } },
    { type: "", text: "1", value: 1 },
    { type: JSON_TYPE, text: "null", value: null },
    { type: JSON_TYPE, text: "false", value: false },
    { type: JSON_TYPE, text: '""', value: "" },
    { type: JSON_TYPE, text: '\uFEFF{"a":1}', value: { a: 1 } },
  ])("is its value: $text as $type", ({ type, text, value }) => {
    expect(parseBody(type, bytes(text))).toStrictEqual(value);
  });

  it.each(["", "{", '{"a":1', "{'a':1}", "NaN", '{"a":1}{}', "a=1"])("is text when it is not JSON: %j", (text) => {
    expect(parseBody(JSON_TYPE, bytes(text))).toBe(text);
  });

  it("has the last of a member that is there twice, and __proto__ as a member of its own", () => {
    expect(parseBody(JSON_TYPE, bytes('{"a":1,"a":2}'))).toStrictEqual({ a: 2 });
    const value = parseBody(JSON_TYPE, bytes('{"__proto__":{"admin":true}}'));
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(value).not.toHaveProperty("admin");
    expect(JSON.stringify(value)).toBe('{"__proto__":{"admin":true}}');
  });

  it("is text when it is nested deeper than what writes JSON can follow", () => {
    const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
    expect(parseBody(JSON_TYPE, bytes(nested(WEBHOOK_BODY_MAX_DEPTH)))).not.toBeTypeOf("string");
    expect(parseBody(JSON_TYPE, bytes(nested(WEBHOOK_BODY_MAX_DEPTH + 1)))).toBeTypeOf("string");
    expect(parseBody(JSON_TYPE, bytes(nested(WEBHOOK_BODY_MAX_BYTES / 2)))).toBeTypeOf("string");
  });

  it("may hold any number of brackets in a text, or side by side", () => {
    for (const value of ["[".repeat(5000), '\\"['.repeat(5000), Array.from({ length: 5000 }, () => [])]) {
      expect(parseBody(JSON_TYPE, bytes(JSON.stringify(value)))).toStrictEqual(value);
    }
  });

  it("has U+FFFD for bytes that are not UTF-8", () => {
    const broken = new Uint8Array([...bytes('{"a":"'), 0xff, 0xc3, ...bytes('"}')]);
    expect(parseBody(JSON_TYPE, broken)).toStrictEqual({ a: "\uFFFD\uFFFD" });
  });

  it("that was made to be slow is read in one pass", () => {
    const started = performance.now();
    parseBody(JSON_TYPE, bytes(`"${'\\"'.repeat(WEBHOOK_BODY_MAX_BYTES / 2 - 1)}`));
    parseBody(JSON_TYPE, bytes('"\\'.repeat(WEBHOOK_BODY_MAX_BYTES / 2)));
    // Half a million starts, each read to the end, would take minutes.
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});

describe("a form", () => {
  it.each([
    { text: "a=1&b=two+words%21", value: { a: "1", b: "two words!" } },
    { text: "a=1&a=2&a=3", value: { a: ["1", "2", "3"] } },
    { text: "a&b=&=c", value: { a: "", b: "", "": "c" } },
    { text: "", value: {} },
    { text: "a=%ff%zz", value: { a: "\uFFFD%zz" } },
    { text: "payload=no+json", value: { payload: "no json" } },
    { text: "payload=1", value: { payload: "1" } },
    { text: "payload=%7B%7D&payload=%7B%7D", value: { payload: ["{}", "{}"] } },
    { text: "payload=%7B%22a%22%3A1%7D&b=2", value: { payload: '{"a":1}', b: "2" } },
  ])("is an object: $text", ({ text, value }) => {
    expect(parseBody(FORM_TYPE, bytes(text))).toStrictEqual(value);
  });

  it("of the one field payload is the JSON in it, as GitHub and Slack send it", () => {
    const value = { action: "opened", issue: { title: "a & b = c" } };
    const text = new URLSearchParams({ payload: JSON.stringify(value) }).toString();
    expect(parseBody(`${FORM_TYPE};charset=UTF-8`, bytes(text))).toStrictEqual(value);
  });

  it("has a field __proto__ like any other", () => {
    const value = parseBody(FORM_TYPE, bytes("__proto__=a&constructor=b&toString=c"));
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.keys(value as object)).toEqual(["__proto__", "constructor", "toString"]);
  });
});

describe("any other body", () => {
  it.each(["text/plain", "application/xml", "multipart/form-data; boundary=x", "application/octet-stream", "?"])(
    "is text, also when it looks like JSON: %s",
    (type) => {
      expect(parseBody(type, bytes('{"a":1}'))).toBe('{"a":1}');
    },
  );
});

it("no bytes and no content type make it throw, and what it gives can be written as JSON", () => {
  const type = fc.constantFrom(JSON_TYPE, FORM_TYPE, "text/plain", null);
  const body = fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.json().map(bytes), fc.webQueryParameters().map(bytes));
  fc.assert(
    fc.property(fc.oneof(type, fc.string()), body, (contentType, raw) => {
      expect(JSON.stringify(parseBody(contentType, raw))).toBeTypeOf("string");
    }),
  );
});
