import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type CompiledFilter,
  compileFilter,
  explainMismatch,
  FILTER_MAX_DEPTH,
  FILTER_MAX_PATTERNS,
  FILTER_MAX_SCALARS,
  type FilterSubject,
  matchFilter,
} from "./filter.ts";

function compiled(filter: unknown): CompiledFilter {
  const result = compileFilter(filter);
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  return result.filter;
}

/** True if `pattern` matches the member `v` of a payload, which is missing when undefined. */
const matchesValue = (pattern: unknown, value: unknown): boolean => {
  const subject = { event: "e", service: "s", payload: value === undefined ? {} : { v: value }, context: {} };
  return matchFilter(compiled({ payload: { v: pattern } }), subject);
};

const errorsOf = (filter: unknown): { path: string; message: string }[] => {
  const result = compileFilter(filter);
  return result.ok ? [] : result.errors;
};

/** A value as JSON.parse gives it, e.g. an own member named __proto__. */
const parsed = (text: string): unknown => JSON.parse(text);
const nested = (depth: number, inner: string, open = "[", close = "]"): unknown =>
  parsed(open.repeat(depth) + inner + close.repeat(depth));

describe("the reference client's filters", () => {
  const subject: FilterSubject = {
    event: "order.created",
    service: "trigger",
    payload: {
      id: 7,
      paid: true,
      note: null,
      customer: { plan: "pro", address: { country: "DK" } },
      items: [
        { sku: "a", n: 1 },
        { sku: "b", n: 2 },
      ],
      tags: ["new", "gift"],
      none: [],
    },
    context: { region: "eu" },
  };

  it.each<[string, unknown, boolean]>([
    ["an empty filter", {}, true],
    ["the event's name", { event: ["order.created"] }, true],
    ["another name", { event: ["order.deleted"] }, false],
    ["several names, the event's among them", { event: ["order.deleted", "order.created"] }, true],
    ["an empty payload filter", { event: ["order.created"], payload: {} }, true],
    ["the service", { service: ["trigger"] }, true],
    ["another service", { service: ["github"] }, false],
    ["a number", { payload: { id: [7] } }, true],
    ["a number as text", { payload: { id: ["7"] } }, false],
    ["a boolean", { payload: { paid: [true] } }, true],
    ["the other boolean", { payload: { paid: [false] } }, false],
    ["a boolean as number", { payload: { paid: [1] } }, false],
    ["null", { payload: { note: [null] } }, true],
    ["nested objects", { payload: { customer: { address: { country: ["SE", "DK"] } } } }, true],
    [
      "nested objects, one part of which differs",
      { payload: { customer: { plan: ["pro"], address: { country: ["SE"] } } } },
      false,
    ],
    ["context and payload", { payload: { id: [7] }, context: { region: ["eu"] } }, true],
    ["the payload but not the context", { payload: { id: [7] }, context: { region: ["us"] } }, false],
    ["an object that one item matches", { payload: { items: { sku: ["b"] } } }, true],
    ["an object that one item matches whole", { payload: { items: { sku: ["b"], n: [2] } } }, true],
    ["an object that only two items together match", { payload: { items: { sku: ["a"], n: [2] } } }, false],
    ["an object that no item matches", { payload: { items: { sku: ["c"] } } }, false],
    ["a list one of whose scalars is an item", { payload: { tags: ["gift", "x"] } }, true],
    ["a list none of whose scalars is an item", { payload: { tags: ["x"] } }, false],
    ["a list against an empty array", { payload: { none: ["x"] } }, false],
    ["an object against an empty array", { payload: { none: { a: [] } } }, false],
    ["an empty list against a scalar", { payload: { id: [] } }, true],
    ["an empty list against an object", { payload: { customer: [] } }, true],
    ["an empty list against a missing value", { payload: { missing: [] } }, true],
    ["an empty object against a missing value", { payload: { missing: {} } }, true],
    ["an empty object against a scalar", { payload: { id: {} } }, true],
    ["an empty object against an empty array", { payload: { none: {} } }, true],
    ["a list against a missing value", { payload: { missing: ["a"] } }, false],
    ["null against a missing value", { payload: { missing: [null] } }, false],
    ["an object against a missing value", { payload: { missing: { a: ["a"] } } }, false],
    ["an object with an empty list against a missing value", { payload: { missing: { a: [] } } }, false],
    ["a missing value within a missing value", { payload: { missing: { deeper: { still: ["a"] } } } }, false],
    ["an object against null", { payload: { note: { a: ["a"] } } }, false],
    ["an object against a number", { payload: { id: { a: [] } } }, false],
    ["an object against a string's length", { event: { length: [13] } }, false],
    ["an object against a string's character", { event: { 0: ["o"] } }, false],
    ["an object against an array's length", { payload: { tags: { length: [2] } } }, false],
    ["an object against an array's index", { payload: { tags: { 0: ["new"] } } }, false],
    ["a list against an object", { payload: { customer: ["pro"] } }, false],
    ["a part the event does not have", { nonsense: ["x"] }, false],
  ])("decides like the reference client on %s", (_, filter, expected) => {
    expect(matchFilter(compiled(filter), subject)).toBe(expected);
  });

  it.each<[string, FilterSubject, boolean]>([
    ["a payload that is an empty array", { event: "e", service: "s", payload: [], context: {} }, true],
    ["a payload that is null", { event: "e", service: "s", payload: null, context: null }, true],
    ["no payload and no context", { event: "e", service: "s", payload: undefined }, true],
    ["another event", { event: "f", service: "s", payload: {}, context: {} }, false],
  ])("asks only for the event's name without a payload filter: %s", (_, given, expected) => {
    expect(matchFilter(compiled({ event: ["e"], payload: {} }), given)).toBe(expected);
  });

  it("matches a payload that is an array if one of its items matches", () => {
    const filter = compiled({ payload: { action: ["opened"] } });
    expect(matchFilter(filter, { payload: [{ action: "closed" }, { action: "opened" }] })).toBe(true);
    expect(matchFilter(filter, { payload: [{ action: "closed" }] })).toBe(false);
  });

  it("counts the items of nested arrays as an array's own", () => {
    expect(matchesValue({ a: ["x"] }, [[1], [[{ a: "x" }]]])).toBe(true);
    expect(matchesValue(["x"], [["y"], [["x"]]])).toBe(true);
    expect(matchesValue(["z"], [["y"], [["x"]]])).toBe(false);
  });

  it.each(["__proto__", "constructor", "toString", "hasOwnProperty"])(
    "treats a member named %s like any other",
    (key) => {
      const pattern = parsed(`{${JSON.stringify(key)}: {"a": ["x"]}}`);
      expect(matchesValue(pattern, {})).toBe(false);
      expect(matchesValue(pattern, parsed(`{${JSON.stringify(key)}: {"a": "x"}}`))).toBe(true);
      expect(matchesValue(parsed(`{${JSON.stringify(key)}: {"name": ["Object"]}}`), {})).toBe(false);
      expect(matchesValue({ [`x${key}`]: [] }, {})).toBe(true);
    },
  );

  it("ignores an inherited member of the event", () => {
    const payload = Object.create({ a: "x" }) as unknown;
    expect(matchFilter(compiled({ payload: { a: ["x"] } }), { payload })).toBe(false);
    expect(matchFilter(compiled({ payload: { a: { $exists: false } } }), { payload })).toBe(true);
  });
});

describe("operators", () => {
  it.each<[unknown, unknown, boolean]>([
    [{ $prefix: "ab" }, "abc", true],
    [{ $prefix: "ab" }, "ab", true],
    [{ $prefix: "ab" }, "xab", false],
    [{ $prefix: "ab" }, "AB", false],
    [{ $prefix: "" }, "", true],
    [{ $prefix: "" }, 1, false],
    [{ $prefix: "" }, undefined, false],
    [{ $prefix: "1" }, 12, false],
    [{ $prefix: ".*" }, "abc", false],
    [{ $suffix: "bc" }, "abc", true],
    [{ $suffix: "bc" }, "bcd", false],
    [{ $suffix: "" }, null, false],
    [{ $ignoreCase: "Straße" }, "sTRAßE", true],
    [{ $ignoreCase: "ÅSE" }, "åse", true],
    [{ $ignoreCase: "abc" }, "abcd", false],
    [{ $ignoreCase: "true" }, true, false],
    [{ $gt: 3 }, 3.5, true],
    [{ $gt: 3 }, 3, false],
    [{ $gt: 3 }, "4", false],
    [{ $gt: -1 }, null, false],
    [{ $gt: -1 }, false, false],
    [{ $gt: 0 }, undefined, false],
    [{ $gte: 3 }, 3, true],
    [{ $gte: 3 }, 2, false],
    [{ $lt: 3 }, 2, true],
    [{ $lt: 3 }, 3, false],
    [{ $lt: 3 }, undefined, false],
    [{ $lte: 3 }, 3, true],
    [{ $lte: 3 }, 4, false],
    [{ $gte: 0 }, -0, true],
    [{ $between: [1, 3] }, 1, true],
    [{ $between: [1, 3] }, 3, true],
    [{ $between: [1, 3] }, 0.99, false],
    [{ $between: [1, 3] }, 3.01, false],
    [{ $between: [1, 1] }, 1, true],
    [{ $between: [1, 3] }, "2", false],
    [{ $exists: true }, 0, true],
    [{ $exists: true }, null, true],
    [{ $exists: true }, [], true],
    [{ $exists: true }, undefined, false],
    [{ $exists: false }, undefined, true],
    [{ $exists: false }, null, false],
    [{ $exists: false }, {}, false],
    [{ $not: ["a"] }, "b", true],
    [{ $not: ["a"] }, "a", false],
    [{ $not: ["a"] }, undefined, true],
    [{ $not: ["a"], $exists: true }, undefined, false],
    [{ $not: ["a"], $exists: true }, "b", true],
    [{ $not: [] }, "a", false],
    [{ $not: {} }, undefined, false],
    [{ $not: { $not: ["a"] } }, "a", true],
    [{ $not: { $gt: 3 } }, 3, true],
    [{ $not: { $gt: 3 } }, "x", true],
    [{ $not: { a: ["x"] } }, { a: "y" }, true],
    [{ $not: { a: ["x"] } }, { a: "x" }, false],
    [{ $or: [["a"], { $prefix: "b" }] }, "a", true],
    [{ $or: [["a"], { $prefix: "b" }] }, "bc", true],
    [{ $or: [["a"], { $prefix: "b" }] }, "c", false],
    [{ $or: [["a"], { $prefix: "b" }] }, undefined, false],
    [{ $or: [{ a: ["x"] }, { b: ["y"] }] }, { a: "0", b: "y" }, true],
    [{ $or: [{ a: ["x"] }, { b: ["y"] }] }, { a: "y", b: "x" }, false],
    [{ $or: [{}] }, undefined, true],
    [{ $gt: 3, $lt: 5 }, 4, true],
    [{ $gt: 3, $lt: 5 }, 5, false],
    [{ $prefix: "a", $suffix: "z" }, "a-z", true],
    [{ $prefix: "a", $suffix: "z" }, "a", false],
    [{ $prefix: "a", $not: ["ab"] }, "ac", true],
    [{ $prefix: "a", $not: ["ab"] }, "ab", false],
    [{ $gt: 3, $or: [{ $lt: 5 }, [9]] }, 9, true],
    [{ $gt: 3, $or: [{ $lt: 5 }, [9]] }, 8, false],
    [["a", { $prefix: "b" }], "a", true],
    [["a", { $prefix: "b" }], "bc", true],
    [["a", { $prefix: "b" }], "c", false],
    [[{ $lt: 0 }, { $gt: 10 }], 11, true],
    [[{ $lt: 0 }, { $gt: 10 }], 5, false],
    [["a", { $exists: false }], undefined, true],
    [["a", { $exists: false }], "b", false],
    [[{ $not: ["a"] }], "b", true],
    [{ a: ["x"], $not: { b: ["y"] } }, { a: "x", b: "z" }, true],
    [{ a: ["x"], $not: { b: ["y"] } }, { a: "x" }, true],
    [{ a: ["x"], $not: { b: ["y"] } }, { a: "x", b: "y" }, false],
    [{ a: ["x"], $or: [{ b: ["y"] }, { c: ["z"] }] }, { a: "x", c: "z" }, true],
    [{ a: ["x"], $or: [{ b: ["y"] }, { c: ["z"] }] }, { a: "x" }, false],
    [{ a: ["x"], $or: [{ b: ["y"] }] }, undefined, false],
  ])("compare %j with %j: %j", (pattern, value, expected) => {
    expect(matchesValue(pattern, value)).toBe(expected);
  });

  it.each<[string, unknown, unknown, boolean]>([
    ["a single passing item is enough", { $gt: 3 }, [1, 5], true],
    ["no item passes", { $gt: 3 }, [1, 2], false],
    ["no item, no match", { $gt: 3 }, [], false],
    ["a single item must pass all", { $gt: 3, $lt: 5 }, [1, 9], false],
    ["a single item passes all", { $gt: 3, $lt: 5 }, [1, 4, 9], true],
    ["items of nested arrays count too", { $prefix: "a" }, [["x", ["ab"]]], true],
    ["not: no item may match", { $not: ["spam"] }, ["spam", "ham"], false],
    ["not: no item matches", { $not: ["spam"] }, ["ham"], true],
    ["not: of nothing", { $not: ["spam"] }, [], true],
    ["not of an object: no item may match", { $not: { a: [1] } }, [{ a: 1 }, { a: 2 }], false],
    ["beside a test, not still speaks of all items", { $prefix: "a", $not: ["ab"] }, ["ab", "ac"], false],
    [
      "beside plain keys, not speaks of the same item",
      { a: [1], $not: { b: [2] } },
      [
        { a: 1, b: 2 },
        { a: 1, b: 3 },
      ],
      true,
    ],
    [
      "beside plain keys, no item has it",
      { a: [1], $not: { b: [2] } },
      [
        { a: 1, b: 2 },
        { a: 2, b: 3 },
      ],
      false,
    ],
    ["beside plain keys, or speaks of the same item", { a: [1], $or: [{ b: [2] }] }, [{ a: 1 }, { b: 2 }], false],
    ["or: each alternative of any item", { $or: [{ a: [1] }, { b: [2] }] }, [{ a: 0 }, { b: 2 }], true],
    ["exists speaks of the array", { $exists: false }, [], false],
  ])("compare with an array: %s", (_, pattern, value, expected) => {
    expect(matchesValue(pattern, value)).toBe(expected);
  });

  it("work at the top of a filter as well", () => {
    const filter = compiled({ event: ["e"], $or: [{ payload: { a: [1] } }, { context: { b: [2] } }] });
    expect(matchFilter(filter, { event: "e", payload: {}, context: { b: 2 } })).toBe(true);
    expect(matchFilter(filter, { event: "e", payload: { a: 2 }, context: {} })).toBe(false);
    expect(matchFilter(compiled({ $not: { event: ["e"] } }), { event: "e" })).toBe(false);
  });
});

describe("refused filters", () => {
  it.each<[unknown, string, string]>([
    [null, "", "the filter must be an object"],
    [undefined, "", "the filter must be an object"],
    ["a", "", "the filter must be an object"],
    [[], "", "the filter must be an object"],
    [["a"], "", "the filter must be an object"],
    [{ event: "a" }, "event", "must be a list of scalars or an object, not string"],
    [{ payload: { a: null } }, "payload.a", "not null"],
    [{ payload: { a: 1 } }, "payload.a", "not number"],
    [{ payload: { a: undefined } }, "payload.a", "not missing"],
    [{ payload: { a: () => 1 } }, "payload.a", "not object"],
    [{ payload: { a: ["x", {}] } }, "payload.a[1]", "must be a scalar or an object of operators, not object"],
    [{ payload: { a: ["x", []] } }, "payload.a[1]", "not array"],
    [{ payload: { a: [{ b: ["x"] }] } }, "payload.a[0]", "must be a scalar or an object of operators"],
    [{ payload: { a: [{ b: ["x"], $not: ["x"] }] } }, "payload.a[0]", "without plain keys"],
    [{ payload: { a: [undefined] } }, "payload.a[0]", "not missing"],
    [{ payload: { a: [Number.POSITIVE_INFINITY] } }, "payload.a[0]", "not number"],
    [{ payload: { a: { $regex: "x" } } }, "payload.a.$regex", "is not an operator; there are $not, $or"],
    [{ payload: { a: { $: 1 } } }, "payload.a.$", "is not an operator"],
    [{ payload: { a: { b: ["x"], $regex: "x" } } }, "payload.a.$regex", "is not an operator"],
    [parsed('{"payload": {"$__proto__": 1}}'), "payload.$__proto__", "is not an operator"],
    [{ payload: { a: { $prefix: 1 } } }, "payload.a.$prefix", "takes a string"],
    [{ payload: { a: { $suffix: null } } }, "payload.a.$suffix", "takes a string"],
    [{ payload: { a: { $ignoreCase: ["x"] } } }, "payload.a.$ignoreCase", "takes a string"],
    [{ payload: { a: { $gt: "1" } } }, "payload.a.$gt", "takes a number"],
    [{ payload: { a: { $gte: null } } }, "payload.a.$gte", "takes a number"],
    [{ payload: { a: { $lt: Number.NaN } } }, "payload.a.$lt", "takes a number"],
    [{ payload: { a: { $lte: parsed("1e999") } } }, "payload.a.$lte", "takes a number"],
    [{ payload: { a: { $between: [1] } } }, "payload.a.$between", "takes [low, high]"],
    [{ payload: { a: { $between: [1, 2, 3] } } }, "payload.a.$between", "takes [low, high]"],
    [{ payload: { a: { $between: [2, 1] } } }, "payload.a.$between", "takes [low, high]"],
    [{ payload: { a: { $between: ["1", "2"] } } }, "payload.a.$between", "takes [low, high]"],
    [{ payload: { a: { $between: { 0: 1, 1: 2 } } } }, "payload.a.$between", "takes [low, high]"],
    [{ payload: { a: { $exists: "yes" } } }, "payload.a.$exists", "takes true or false"],
    [{ payload: { a: { $exists: null } } }, "payload.a.$exists", "takes true or false"],
    [{ payload: { a: { $not: "x" } } }, "payload.a.$not", "must be a list of scalars or an object, not string"],
    [{ payload: { a: { $not: { b: 1 } } } }, "payload.a.$not.b", "not number"],
    [{ payload: { a: { $or: { b: ["x"] } } } }, "payload.a.$or", "takes a list of at least one pattern"],
    [{ payload: { a: { $or: [] } } }, "payload.a.$or", "takes a list of at least one pattern"],
    [{ payload: { a: { $or: ["x"] } } }, "payload.a.$or[0]", "must be a list of scalars or an object"],
    [{ payload: { a: { $or: [["x"], { b: 1 }] } } }, "payload.a.$or[1].b", "not number"],
    [{ payload: { a: ["x"], $gt: 1 } }, "payload.$gt", "cannot stand beside plain keys"],
    [{ payload: { $exists: true, a: ["x"] } }, "payload.$exists", "cannot stand beside plain keys"],
    [{ payload: { "first name": 1 } }, 'payload["first name"]', "not number"],
    [{ "a.b": { 'c"d': 1 } }, '["a.b"]["c\\"d"]', "not number"],
    [{ payload: { "": 1 } }, 'payload[""]', "not number"],
  ])("get an error for %j at %j", (filter, path, message) => {
    const [first] = errorsOf(filter);
    expect(first?.path).toBe(path);
    expect(first?.message).toContain(message);
    expect(first?.message.startsWith(path)).toBe(true);
  });

  it("get an error for every place, up to ten", () => {
    expect(errorsOf({ event: 1, payload: { a: ["x"], b: { $gt: "x" } } }).map((error) => error.path)).toEqual([
      "event",
      "payload.b.$gt",
    ]);
    expect(errorsOf({ payload: Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`k${i}`, i])) })).toHaveLength(
      10,
    );
    expect(errorsOf({ payload: [Array.from({ length: 50 }, () => [])].flat() })).toHaveLength(10);
  });

  it("include filters that nest too deeply, with every kind of nesting", () => {
    const levels: [string, string, string][] = [
      ['{"a":', "[1]", "}"],
      ['{"$not":', "[1]", "}"],
      ['{"$or":[', "[1]", "]}"],
    ];
    for (const [open, inner, close] of levels) {
      expect(errorsOf(nested(FILTER_MAX_DEPTH - 1, inner, open, close))).toEqual([]);
      const [error, ...rest] = errorsOf(nested(FILTER_MAX_DEPTH, inner, open, close));
      expect(error?.message).toContain("nested deeper than 32");
      expect(rest).toEqual([]);
      expect(errorsOf(nested(100_000, inner, open, close))).toHaveLength(1);
    }
    expect(errorsOf({ a: nested(100_000, "1") })).toHaveLength(1);
    expect(errorsOf(nested(50_000, "[1]", '{"a":[{"$not":', "}]}"))).toHaveLength(1);
  });

  it("include filters with too many patterns or scalars", () => {
    const members = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, ["x"]]));
    expect(errorsOf(members(FILTER_MAX_PATTERNS - 1))).toEqual([]);
    expect(errorsOf(members(FILTER_MAX_PATTERNS)).map((error) => error.message)).toEqual([
      "k999 is one of more than 1000 patterns",
    ]);
    const operators = Array.from({ length: FILTER_MAX_PATTERNS }, (_, i) => ({ $gt: i }));
    expect(errorsOf({ payload: operators })[0]?.message).toContain("more than 1000 patterns");
    expect(errorsOf({ payload: { $or: operators } })[0]?.message).toContain("more than 1000 patterns");

    const scalars = (count: number) => Array.from({ length: count }, (_, i) => i);
    expect(errorsOf({ payload: scalars(FILTER_MAX_SCALARS) })).toEqual([]);
    expect(errorsOf({ payload: scalars(FILTER_MAX_SCALARS + 1) })[0]?.message).toBe(
      "payload has more than 10000 scalars in it",
    );
    const halves = { event: scalars(FILTER_MAX_SCALARS / 2), payload: scalars(FILTER_MAX_SCALARS / 2 + 1) };
    expect(errorsOf(halves)[0]?.path).toBe("payload");
  });

  it("include filters that refer to themselves", () => {
    const loop: { a?: unknown } = {};
    loop.a = loop;
    expect(errorsOf(loop)).toHaveLength(1);
  });
});

describe("hostile events", () => {
  it("match without throwing when nested beyond any stack", () => {
    const deep = nested(200_000, '"x"');
    expect(matchesValue(["x"], deep)).toBe(true);
    expect(matchesValue(["y"], deep)).toBe(false);
    expect(matchesValue({ $prefix: "x" }, deep)).toBe(true);
    expect(matchesValue({ a: ["x"] }, nested(200_000, '{"a":"x"}'))).toBe(true);
    expect(matchesValue({ a: { a: ["x"] } }, nested(200_000, '"x"', '{"a":', "}"))).toBe(false);
  });

  it("cost time in proportion to their size", () => {
    const alternatives = Array.from({ length: 400 }, (_, i) => ({ a: [`x${i}`] }));
    const items = Array.from({ length: 10_000 }, (_, i) => ({ a: i }));
    const started = performance.now();
    expect(matchesValue({ $or: alternatives }, items)).toBe(false);
    expect(
      matchesValue(
        Array.from({ length: 10_000 }, (_, i) => `x${i}`),
        items.map((item) => item.a),
      ),
    ).toBe(false);
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});

describe("the explanation of a mismatch", () => {
  const payload = { id: 7, name: "secret-name", tags: ["secret-tag"], user: { plan: "secret-plan" }, none: null };
  const explain = (pattern: unknown) => {
    const filter = compiled({ event: ["e"], payload: pattern });
    return explainMismatch(filter, { event: "e", service: "s", payload, context: {} });
  };

  it.each<[string, unknown, unknown]>([
    ["a match", { id: [7] }, null],
    ["another number", { id: [8] }, { path: "payload.id", expected: [8], found: "number" }],
    ["another type", { id: ["7"] }, { path: "payload.id", expected: ["7"], found: "number" }],
    ["a missing value", { gone: ["x"] }, { path: "payload.gone", expected: ["x"], found: "missing" }],
    ["a missing object", { gone: { a: ["x"] } }, { path: "payload.gone", expected: { a: ["x"] }, found: "missing" }],
    ["a null", { none: { a: ["x"] } }, { path: "payload.none", expected: { a: ["x"] }, found: "null" }],
    ["a nested string", { user: { plan: ["pro"] } }, { path: "payload.user.plan", expected: ["pro"], found: "string" }],
    ["an object for a scalar", { user: ["x"] }, { path: "payload.user", expected: ["x"], found: "object" }],
    ["an array", { tags: ["x"] }, { path: "payload.tags", expected: ["x"], found: "array" }],
    ["items", { tags: { a: ["x"] } }, { path: "payload.tags", expected: { a: ["x"] }, found: "array" }],
    ["the first of two", { id: [8], name: ["x"] }, { path: "payload.id", expected: [8], found: "number" }],
    ["the second of two", { id: [7], name: ["x"] }, { path: "payload.name", expected: ["x"], found: "string" }],
    ["an operator", { id: { $gt: 9 } }, { path: "payload.id", expected: { $gt: 9 }, found: "number" }],
    ["a range", { id: { $gt: 1, $lt: 2 } }, { path: "payload.id", expected: { $gt: 1, $lt: 2 }, found: "number" }],
    ["exists", { gone: { $exists: true } }, { path: "payload.gone", expected: { $exists: true }, found: "missing" }],
    ["exists not", { id: { $exists: false } }, { path: "payload.id", expected: { $exists: false }, found: "number" }],
    ["not", { id: { $gt: 1, $not: [7] } }, { path: "payload.id", expected: { $not: [7] }, found: "number" }],
    [
      "not beside keys",
      { id: [7], $not: { id: [7] } },
      { path: "payload", expected: { $not: { id: [7] } }, found: "object" },
    ],
    [
      "or",
      { $or: [{ id: [8] }, { id: [9] }] },
      { path: "payload", expected: { $or: [{ id: [8] }, { id: [9] }] }, found: "object" },
    ],
    ["keys before or", { $or: [{ id: [8] }], name: ["x"] }, { path: "payload.name", expected: ["x"], found: "string" }],
    ["an odd key", { "a b": ["x"] }, { path: 'payload["a b"]', expected: ["x"], found: "missing" }],
  ])("names %s", (_, pattern, mismatch) => {
    expect(explain(pattern)).toEqual(mismatch);
  });

  it("names the event's name first when that differs", () => {
    const filter = compiled({ event: ["e"], payload: { a: ["x"] } });
    expect(explainMismatch(filter, { event: "f", payload: {} })).toEqual({
      path: "event",
      expected: ["e"],
      found: "string",
    });
  });
});

// Small alphabets, so that patterns and values meet.
const key = fc.constantFrom("a", "b", "__proto__", "constructor");
const scalar = fc.constantFrom<unknown>("a", "ab", "", 0, 1, 2, true, false, null);
/** An object with these own members, as JSON.parse makes it: __proto__ is a key like any other. */
const objectOf = (entries: [string, unknown][]): Record<string, unknown> => {
  const object: Record<string, unknown> = {};
  for (const [name, value] of entries) {
    Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
  }
  return object;
};
const dictionary = (value: fc.Arbitrary<unknown>) =>
  fc.uniqueArray(fc.tuple(key, value), { selector: ([name]) => name, maxLength: 3 }).map(objectOf);
const { value: eventValue } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof({ depthSize: "small" }, scalar, fc.array(tie("value"), { maxLength: 3 }), dictionary(tie("value"))),
}));
const subject: fc.Arbitrary<FilterSubject> = fc.record(
  { event: fc.constantFrom("a", "b"), service: fc.constantFrom("a", "b"), payload: eventValue, context: eventValue },
  { requiredKeys: ["event", "service"] },
);
const { original } = fc.letrec<{ original: unknown }>((tie) => ({
  original: fc.oneof({ depthSize: "small" }, fc.array(scalar, { maxLength: 3 }), dictionary(tie("original"))),
}));
const originalFilter: fc.Arbitrary<object> = fc.record(
  { event: fc.array(fc.constantFrom("a", "b")), payload: original, context: original, service: original },
  { requiredKeys: [] },
);
/** An original pattern that is made after the value, so that most of the time it matches. */
function near(value: unknown): fc.Arbitrary<unknown> {
  const stray = { weight: 1, arbitrary: original };
  if (Array.isArray(value)) {
    return value.length === 0
      ? original
      : fc.oneof({ weight: 6, arbitrary: fc.nat(value.length - 1).chain((at) => near(value[at])) }, stray);
  }
  if (typeof value !== "object" || value === null) {
    return fc.oneof(
      { weight: 6, arbitrary: fc.array(scalar, { maxLength: 2 }).map((others) => [...others, value]) },
      stray,
    );
  }
  const some = fc
    .subarray(Object.entries(value))
    .chain((entries) =>
      fc
        .tuple(...entries.map(([name, inner]) => near(inner).map((pattern): [string, unknown] => [name, pattern])))
        .map(objectOf),
    );
  return fc.oneof({ weight: 6, arbitrary: some }, stray);
}
const filterAndSubject = subject.chain((given) => fc.tuple(fc.oneof(originalFilter, near(given)), fc.constant(given)));

const operators = fc.record(
  {
    $prefix: fc.constantFrom("", "a"),
    $suffix: fc.constantFrom("b"),
    $ignoreCase: fc.constantFrom("A", "AB"),
    $exists: fc.boolean(),
    $gt: fc.constantFrom(0, 1),
    $gte: fc.constantFrom(1),
    $lt: fc.constantFrom(2),
    $lte: fc.constantFrom(1),
    $between: fc.constantFrom([0, 1], [1, 2]),
  },
  { requiredKeys: [] },
);
const { rich } = fc.letrec<{ rich: unknown }>((tie) => ({
  rich: fc.oneof(
    { depthSize: "small" },
    fc.array(scalar, { maxLength: 3 }),
    operators,
    fc
      .tuple(fc.array(scalar, { maxLength: 2 }), fc.constantFrom({ $gt: 0 }, { $not: ["a"] }))
      .map(([list, item]) => [...list, item]),
    dictionary(tie("rich")),
    fc.record({ $not: tie("rich") }),
    fc.record({ $or: fc.array(tie("rich"), { minLength: 1, maxLength: 3 }) }),
    fc.tuple(dictionary(tie("rich")), tie("rich")).map(([object, not]) => ({ ...object, $not: not })),
    fc.tuple(operators, tie("rich")).map(([object, not]) => ({ ...object, $not: not })),
  ),
}));
const richFilter = fc.record({ event: rich, payload: rich, context: rich }, { requiredKeys: [] });

/** The original rules once more, as plainly as they can be said. */
function naive(pattern: unknown, value: unknown): boolean {
  if (typeof pattern !== "object" || pattern === null || Object.keys(pattern).length === 0) return true;
  if (Array.isArray(value)) return value.some((item) => naive(pattern, item));
  if (Array.isArray(pattern)) return pattern.includes(value);
  if (typeof value !== "object" || value === null) return false;
  const members = new Map<string, unknown>(Object.entries(value));
  return Object.entries(pattern).every(([name, inner]) => naive(inner, members.get(name)));
}

describe("for any filter and event", () => {
  it("decides by the original rules without operators", () => {
    let matched = 0;
    fc.assert(
      fc.property(filterAndSubject, ([filter, given]) => {
        fc.pre(!Array.isArray(filter));
        const expected = naive(filter, given);
        if (expected) matched++;
        expect(matchFilter(compiled(filter), given)).toBe(expected);
      }),
      { numRuns: 3_000 },
    );
    // Both answers occurred often enough for this to mean something.
    expect(matched).toBeGreaterThan(300);
    expect(matched).toBeLessThan(2_700);
  });

  it("keeps the meaning of the original part beside operators", () => {
    fc.assert(
      fc.property(original, rich, subject, (payload, context, given) => {
        const both = matchFilter(compiled({ payload, context }), given);
        expect(both).toBe(naive(payload, given.payload) && matchFilter(compiled({ context }), given));
        expect(matchFilter(compiled({ payload, $or: [{ context }, {}] }), given)).toBe(naive(payload, given.payload));
        expect(matchFilter(compiled({ payload, $not: { $not: { context } } }), given)).toBe(both);
      }),
      { numRuns: 1_000 },
    );
  });

  it("takes $not for the opposite and $or for any alternative of a pattern", () => {
    fc.assert(
      fc.property(rich, rich, eventValue, (a, b, value) => {
        const [matchesA, matchesB] = [matchesValue(a, value), matchesValue(b, value)];
        expect(matchesValue({ $not: a }, value)).toBe(!matchesA);
        expect(matchesValue({ $or: [a, b] }, value)).toBe(matchesA || matchesB);
      }),
      { numRuns: 1_000 },
    );
  });

  it("explains exactly the mismatches, by a part of the pattern itself", () => {
    fc.assert(
      fc.property(fc.oneof(originalFilter, richFilter), subject, (filter, given) => {
        const mismatch = explainMismatch(compiled(filter), given);
        expect(mismatch === null).toBe(matchFilter(compiled(filter), given));
        if (mismatch === null) return;
        expect(Object.keys(mismatch).sort()).toEqual(["expected", "found", "path"]);
        expect(["missing", "null", "boolean", "number", "string", "array", "object"]).toContain(mismatch.found);
        // Every part of `expected` stands in the filter, letter for letter.
        const inner = JSON.stringify(mismatch.expected).slice(1, -1);
        expect(JSON.stringify(filter)).toContain(inner);
      }),
      { numRuns: 2_000 },
    );
  });

  it("explains alike for events that differ only in values of the same type", () => {
    const filter = compiled({ payload: { a: ["never"], b: { $gt: 1e9 } } });
    fc.assert(
      fc.property(fc.string(), fc.string(), (one, other) => {
        fc.pre(one !== "never" && other !== "never");
        expect(explainMismatch(filter, { payload: { a: one } })).toEqual(
          explainMismatch(filter, { payload: { a: other } }),
        );
      }),
    );
  });

  it("throws for no JSON as filter and event", () => {
    const anyKey = fc.oneof(fc.constantFrom("$not", "$or", "$gt", "$exists", "$between", "$prefix", "$x"), fc.string());
    const { any } = fc.letrec<{ any: unknown }>((tie) => ({
      any: fc.oneof(fc.jsonValue(), fc.array(tie("any")), fc.dictionary(anyKey, tie("any")), fc.constant(undefined)),
    }));
    fc.assert(
      fc.property(any, any, any, (filter, payload, context) => {
        const result = compileFilter(filter);
        if (result.ok) {
          const given = { event: "a", service: "b", payload, context };
          expect(explainMismatch(result.filter, given) === null).toBe(matchFilter(result.filter, given));
        } else {
          expect(result.errors.length).toBeGreaterThan(0);
          for (const error of result.errors) expect(error.message.startsWith(error.path)).toBe(true);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
