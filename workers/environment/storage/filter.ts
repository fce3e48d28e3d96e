// Event filters: the reference client's filters, and operators beside them. A filter is compiled once, with errors that name
// the place, and then matched against any number of events. Promises: matching never throws, whatever the JSON; it reads own
// properties only; its time is at most (patterns of the filter) x (size of the event); a filter without `$` keys means what
// it means to the reference client; an explanation of a mismatch holds nothing of the event but the JSON type of one value.
//
//   ["a", 1, null]         The value is one of these scalars. Items may also be objects of operators: ["a", {"$gt": 3}].
//   { "key": pattern, … }  The value is an object, and each of its members matches its pattern.
//   [] and {}              Match anything, also a missing value. No other list or object of plain keys matches a missing value.
//   $prefix $suffix        The value is a string with this start or end.
//   $ignoreCase            The value is this string, in upper or lower case.
//   $gt $gte $lt $lte      The value is a number in this order. $between: [low, high] includes both ends.
//   $exists                true: there is a value, null included. false: the value is missing.
//   $not: pattern          The pattern does not match. So a missing value is "not" anything but [] and {}.
//   $or: [pattern, …]      At least one of the patterns matches.
//
// An array in the event matches if one of its items does; items of nested arrays count as its own. The reference client has
// this rule for objects, and the router has it for scalars too. All parts of one object must match the same item:
// {"$gt": 3, "$lt": 5} does not match [1, 9], and {"a": [1], "b": [2]} does not match the items {"a": 1} and {"b": 2}. Beside
// plain keys, `$not` and `$or` concern that item as well. In an object of operators, only they and `$exists` concern the
// whole value: {"tags": {"$not": ["spam"]}} means that no tag is "spam".

/** Nesting depth of objects, lists and operators. The filter itself has depth 1. */
export const FILTER_MAX_DEPTH = 32;
/** Objects, lists, and operators that take patterns, in one filter. Each may be matched against each value of an event. */
export const FILTER_MAX_PATTERNS = 1_000;
/** Scalars in the lists of one filter. They cost no time when matching. */
export const FILTER_MAX_SCALARS = 10_000;
/** Errors reported for one filter. Further ones are left out. */
const ERRORS_MAX = 10;

/** A place as `payload.user["first name"]`; empty for the filter itself. */
export interface FilterError {
  readonly path: string;
  /** A sentence that begins with the path. */
  readonly message: string;
}

/** A filter ready to be matched. Only `compileFilter` makes it. The given filter must not change, since parts are shared. */
export interface CompiledFilter {
  readonly root: Pattern;
}

/** An event as filters see it. An undefined member is missing. */
export interface FilterSubject {
  readonly event?: unknown;
  readonly service?: unknown;
  readonly payload?: unknown;
  readonly context?: unknown;
}

export interface Mismatch {
  readonly path: string;
  /** The pattern that did not match, as it stands in the filter. */
  readonly expected: unknown;
  readonly found: "missing" | "null" | "boolean" | "number" | "string" | "array" | "object";
}

type Scalar = string | number | boolean | null;
type JsonObject = Readonly<Record<string, unknown>>;
type ScalarTest = (value: unknown) => boolean;

interface Place {
  readonly path: string;
  readonly source: unknown;
}
interface AnyPattern extends Place {
  readonly kind: "any";
}
interface ListPattern extends Place {
  readonly kind: "list";
  readonly scalars: ReadonlySet<unknown>;
  readonly operators: readonly Pattern[];
}
interface ObjectPattern extends Place {
  readonly kind: "object";
  readonly members: readonly (readonly [key: string, pattern: Pattern])[];
  readonly conditions: readonly Condition[];
}
interface OperatorsPattern extends Place {
  readonly kind: "operators";
  readonly tests: readonly ScalarTest[];
  readonly conditions: readonly Condition[];
}
type Pattern = AnyPattern | ListPattern | ObjectPattern | OperatorsPattern;

/** A test of the whole value, and not of the items of an array. */
type Condition = { readonly source: unknown } & (
  | { readonly kind: "exists"; readonly present: boolean }
  | { readonly kind: "not"; readonly pattern: Pattern }
  | { readonly kind: "or"; readonly patterns: readonly Pattern[] }
);

/** Compiles a filter, which may be any JSON. Returns errors with their places for a bad form and for exceeded limits. */
export function compileFilter(
  filter: unknown,
): { ok: true; filter: CompiledFilter } | { ok: false; errors: FilterError[] } {
  if (!isObject(filter)) return { ok: false, errors: [{ path: "", message: "the filter must be an object" }] };
  const compiler = new Compiler();
  const root = compiler.pattern(filter, "", 1);
  return compiler.errors.length === 0 ? { ok: true, filter: { root } } : { ok: false, errors: compiler.errors };
}

/** True if the event matches the filter. */
export function matchFilter(filter: CompiledFilter, subject: FilterSubject): boolean {
  return matches(filter.root, subject);
}

/** The first part of the filter that failed, in the filter's order and as deep as possible. Null if the event matches. */
export function explainMismatch(filter: CompiledFilter, subject: FilterSubject): Mismatch | null {
  return matches(filter.root, subject) ? null : locate(filter.root, subject);
}

function matches(pattern: Pattern, value: unknown): boolean {
  switch (pattern.kind) {
    case "any":
      return true;
    case "list":
      return (
        (pattern.scalars.size > 0 && someItem(value, (item) => pattern.scalars.has(item))) ||
        pattern.operators.some((operator) => matches(operator, value))
      );
    case "object":
      return someItem(value, (item) => isObject(item) && matchesObject(pattern, item));
    case "operators":
      return passes(pattern.tests, value) && pattern.conditions.every((condition) => holds(condition, value));
  }
}

function matchesObject(pattern: ObjectPattern, value: JsonObject): boolean {
  return (
    pattern.members.every(([key, member]) => matches(member, ownMember(value, key))) &&
    pattern.conditions.every((condition) => holds(condition, value))
  );
}

function passes(tests: readonly ScalarTest[], value: unknown): boolean {
  return tests.length === 0 || someItem(value, (item) => tests.every((test) => test(item)));
}

function holds(condition: Condition, value: unknown): boolean {
  switch (condition.kind) {
    case "exists":
      return (value !== undefined) === condition.present;
    case "not":
      return !matches(condition.pattern, value);
    case "or":
      return condition.patterns.some((pattern) => matches(pattern, value));
  }
}

/** Finds the failed part of a pattern that does not match `value`. */
function locate(pattern: Pattern, value: unknown): Mismatch {
  let conditions: readonly Condition[] = [];
  if (pattern.kind === "object" && isObject(value)) {
    for (const [key, member] of pattern.members) {
      const inner = ownMember(value, key);
      if (!matches(member, inner)) return locate(member, inner);
    }
    conditions = pattern.conditions;
  } else if (pattern.kind === "operators" && passes(pattern.tests, value)) {
    conditions = pattern.conditions;
  }
  const failed = conditions.find((condition) => !holds(condition, value));
  return { path: pattern.path, expected: (failed ?? pattern).source, found: typeName(value) };
}

/** True if the test holds for the value, or for an item of an array at any depth. Arrays may be nested deeper than the stack. */
function someItem(value: unknown, test: (item: unknown) => boolean): boolean {
  if (!Array.isArray(value)) return test(value);
  const open: { items: readonly unknown[]; next: number }[] = [{ items: value, next: 0 }];
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    if (top.next === top.items.length) {
      open.pop();
      continue;
    }
    const item = top.items[top.next++];
    if (Array.isArray(item)) open.push({ items: item, next: 0 });
    else if (test(item)) return true;
  }
  return false;
}

/** Compiles one filter: collects errors, counts towards the limits, and stops when it has enough of either. */
class Compiler {
  readonly errors: FilterError[] = [];
  private patterns = 0;
  private scalars = 0;
  private full = false;

  private refuse(path: string, problem: string): void {
    if (this.full) return;
    this.errors.push({ path, message: `${path === "" ? "the filter" : path} ${problem}` });
    this.full = this.errors.length >= ERRORS_MAX;
  }

  pattern(source: unknown, path: string, depth: number): Pattern {
    this.count(path, depth);
    if (!this.full) {
      if (Array.isArray(source)) return this.list(source, path, depth);
      if (isObject(source)) return this.object(source, path, depth);
      this.refuse(path, `must be a list of scalars or an object, not ${typeName(source)}`);
    }
    return { kind: "any", path, source };
  }

  private list(source: readonly unknown[], path: string, depth: number): Pattern {
    if (source.length === 0) return { kind: "any", path, source };
    const scalars = new Set<unknown>();
    const operators: Pattern[] = [];
    for (let index = 0; index < source.length && !this.full; index++) {
      const item = source[index];
      const itemPath = `${path}[${index}]`;
      if (isScalar(item)) {
        scalars.add(item);
        if (++this.scalars > FILTER_MAX_SCALARS) this.stop(path, `has more than ${FILTER_MAX_SCALARS} scalars in it`);
      } else if (isObject(item) && Object.keys(item).some(isOperator)) {
        const operator = this.pattern(item, itemPath, depth + 1);
        if (operator.kind === "object")
          this.refuse(itemPath, "may hold operators only, without plain keys, inside a list");
        operators.push(operator);
      } else {
        this.refuse(itemPath, `must be a scalar or an object of operators, not ${typeName(item)}`);
      }
    }
    return { kind: "list", path, source, scalars, operators };
  }

  private object(source: JsonObject, path: string, depth: number): Pattern {
    const keys = Object.keys(source);
    if (keys.length === 0) return { kind: "any", path, source };
    const plain = !keys.every(isOperator);
    const members: [string, Pattern][] = [];
    const tests: ScalarTest[] = [];
    const conditions: Condition[] = [];
    for (const key of keys) {
      if (this.full) break;
      const operand = source[key];
      const at = memberPath(path, key);
      if (!isOperator(key)) members.push([key, this.pattern(operand, at, depth + 1)]);
      else if (key === "$not") conditions.push(this.not(operand, at, depth));
      else if (key === "$or") conditions.push(this.or(operand, at, depth));
      else if (plain) this.refuse(at, OPERATORS.has(key) ? "cannot stand beside plain keys" : UNKNOWN);
      else if (key === "$exists") conditions.push(this.exists(operand, at));
      else tests.push(this.scalarTest(key, operand, at));
    }
    return plain
      ? { kind: "object", path, source, members, conditions }
      : { kind: "operators", path, source, tests, conditions };
  }

  private not(operand: unknown, path: string, depth: number): Condition {
    return { kind: "not", source: { $not: operand }, pattern: this.pattern(operand, path, depth + 1) };
  }

  private or(operand: unknown, path: string, depth: number): Condition {
    const patterns: Pattern[] = [];
    if (!Array.isArray(operand) || operand.length === 0) this.refuse(path, "takes a list of at least one pattern");
    else {
      for (let index = 0; index < operand.length && !this.full; index++) {
        patterns.push(this.pattern(operand[index], `${path}[${index}]`, depth + 1));
      }
    }
    return { kind: "or", source: { $or: operand }, patterns };
  }

  private exists(operand: unknown, path: string): Condition {
    if (typeof operand !== "boolean") this.refuse(path, "takes true or false");
    return { kind: "exists", source: { $exists: operand }, present: operand === true };
  }

  private scalarTest(key: string, operand: unknown, path: string): ScalarTest {
    const make = SCALAR_TESTS.get(key);
    if (make === undefined) {
      this.refuse(path, UNKNOWN);
      return () => false;
    }
    const made = make(operand);
    if (typeof made === "function") return made;
    this.refuse(path, made);
    return () => false;
  }

  private count(path: string, depth: number): void {
    if (depth > FILTER_MAX_DEPTH) this.stop(path, `is nested deeper than ${FILTER_MAX_DEPTH}`);
    if (++this.patterns > FILTER_MAX_PATTERNS) this.stop(path, `is one of more than ${FILTER_MAX_PATTERNS} patterns`);
  }

  /** Reports an error and stops reading. */
  private stop(path: string, problem: string): void {
    this.refuse(path, problem);
    this.full = true;
  }
}

/** Makes the test from the operator's operand, or returns the sentence that says what the operator takes. */
const SCALAR_TESTS: ReadonlyMap<string, (operand: unknown) => ScalarTest | string> = new Map([
  ["$prefix", ofString((operand) => (value) => value.startsWith(operand))],
  ["$suffix", ofString((operand) => (value) => value.endsWith(operand))],
  [
    "$ignoreCase",
    ofString((operand) => {
      const lower = operand.toLowerCase();
      return (value) => value.toLowerCase() === lower;
    }),
  ],
  ["$gt", ofNumber((operand, value) => value > operand)],
  ["$gte", ofNumber((operand, value) => value >= operand)],
  ["$lt", ofNumber((operand, value) => value < operand)],
  ["$lte", ofNumber((operand, value) => value <= operand)],
  ["$between", between],
]);
const OPERATORS: ReadonlySet<string> = new Set(["$not", "$or", "$exists", ...SCALAR_TESTS.keys()]);
const UNKNOWN = `is not an operator; there are ${[...OPERATORS].join(", ")}`;

function ofString(test: (operand: string) => (value: string) => boolean): (operand: unknown) => ScalarTest | string {
  return (operand) => {
    if (typeof operand !== "string") return "takes a string";
    const holdsFor = test(operand);
    return (value) => typeof value === "string" && holdsFor(value);
  };
}

function ofNumber(holdsFor: (operand: number, value: number) => boolean): (operand: unknown) => ScalarTest | string {
  return (operand) => {
    if (!isFiniteNumber(operand)) return "takes a number";
    return (value) => typeof value === "number" && holdsFor(operand, value);
  };
}

function between(operand: unknown): ScalarTest | string {
  const [low, high] = Array.isArray(operand) && operand.length === 2 ? operand : [];
  if (!isFiniteNumber(low) || !isFiniteNumber(high) || low > high) return "takes [low, high], two numbers in order";
  return (value) => typeof value === "number" && value >= low && value <= high;
}

function isOperator(key: string): boolean {
  return key.startsWith("$");
}

function isFiniteNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function isScalar(value: unknown): value is Scalar {
  return value === null || typeof value === "string" || typeof value === "boolean" || isFiniteNumber(value);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Undefined stands for a missing value, since JSON has no undefined. Inherited members do not count. */
function ownMember(value: JsonObject, key: string): unknown {
  return Object.hasOwn(value, key) ? value[key] : undefined;
}

function memberPath(path: string, key: string): string {
  if (!/^[\w$-]+$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === "" ? key : `${path}.${key}`;
}

function typeName(value: unknown): Mismatch["found"] {
  if (value === undefined) return "missing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  const type = typeof value;
  return type === "boolean" || type === "number" || type === "string" ? type : "object";
}
