// Postgres's text as JSON values, for clients of SQL over HTTP that do not ask for raw text. Pure. Like Neon's proxy:
// booleans, small integers, floats and JSON become JSON; types that JSON lacks, a bigint or a date, stay text.
import pg from "pg";

const { builtins } = pg.types;
const FLOATS: readonly number[] = [builtins.FLOAT4, builtins.FLOAT8];
const INTEGERS: readonly number[] = [builtins.INT2, builtins.INT4];
const JSONS: readonly number[] = [builtins.JSON, builtins.JSONB];

/** Array types and their element types. An array of any other type stays Postgres's text. */
const ELEMENT_TYPES: ReadonlyMap<number, number> = new Map([
  [1000, builtins.BOOL],
  [1005, builtins.INT2],
  [1007, builtins.INT4],
  [1021, builtins.FLOAT4],
  [1022, builtins.FLOAT8],
  [199, builtins.JSON],
  [3807, builtins.JSONB],
  [1009, builtins.TEXT],
  [1015, builtins.VARCHAR],
  [1016, builtins.INT8],
  [2951, builtins.UUID],
  [1185, builtins.TIMESTAMPTZ],
  [1231, builtins.NUMERIC],
]);

/** The JSON value of one column's text. `type` is Postgres's number of the column's type. */
export function jsonValue(text: string | null, type: number): unknown {
  if (text === null) return null;
  const elementType = ELEMENT_TYPES.get(type);
  if (elementType !== undefined) return jsonItem(parseArray(text), elementType);
  if (type === builtins.BOOL) return text === "t";
  if (INTEGERS.includes(type)) return Number(text);
  // JSON has no NaN and no infinity: these stay text.
  if (FLOATS.includes(type)) return Number.isFinite(Number(text)) ? Number(text) : text;
  if (JSONS.includes(type)) return JSON.parse(text);
  return text;
}

type ArrayItem = string | null | ArrayItem[];

function jsonItem(item: ArrayItem, type: number): unknown {
  return Array.isArray(item) ? item.map((each) => jsonItem(each, type)) : jsonValue(item, type);
}

/** Reads `{a,"b \"c\"",NULL,{…}}`, Postgres's form of an array: a bare NULL is null, a quoted one is the word. */
function parseArray(text: string): ArrayItem[] {
  const outer: ArrayItem[] = [];
  const open: ArrayItem[][] = [outer];
  // Bounds that do not start at 1 come first (`[0:1]={…}`); JSON has no place for them.
  for (const token of text.slice(text.indexOf("{")).matchAll(/[{}]|"((?:[^"\\]|\\.)*)"|[^{},"]+/gs)) {
    const inside = open.at(-1) ?? outer;
    if (token[0] === "{") {
      const array: ArrayItem[] = [];
      inside.push(array);
      open.push(array);
    } else if (token[0] === "}") open.pop();
    else if (token[1] !== undefined) inside.push(token[1].replace(/\\(.)/gs, "$1"));
    else inside.push(token[0] === "NULL" ? null : token[0]);
  }
  const whole = outer[0];
  return Array.isArray(whole) ? whole : [];
}
