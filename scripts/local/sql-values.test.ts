// Postgres's text as JSON values: types that Neon's proxy turns into JSON, and types that it leaves as text.
import { expect, test } from "vitest";
import { jsonValue } from "./sql-values.ts";

test.each([
  ["a boolean", "t", 16, true],
  ["a boolean that is false", "f", 16, false],
  ["an integer", "-42", 23, -42],
  ["a bigint, which JSON would round", "9007199254740993", 20, "9007199254740993"],
  ["a float", "4.25", 701, 4.25],
  ["a float that is not a number", "NaN", 701, "NaN"],
  ["an infinite float", "-Infinity", 700, "-Infinity"],
  ["a numeric", "1.10", 1700, "1.10"],
  ["json", '{"a":[null,1]}', 3802, { a: [null, 1] }],
  ["text that looks like something else", "42", 25, "42"],
  ["null", null, 23, null],
  ["an array of integers", "{1,NULL,3}", 1007, [1, null, 3]],
  ["an empty array", "{}", 1009, []],
  ["nested arrays", "{{1,2},{3,4}}", 1007, [[1, 2], [3, 4]]], // biome-ignore format: one row
  ["an array with other bounds", "[0:1]={5,6}", 1007, [5, 6]],
  ["an array of texts that need quotes", String.raw`{"a b","c \"d\" \\e","{,}","NULL",NULL,""}`, 1009, ["a b", 'c "d" \\e', "{,}", "NULL", null, ""]], // biome-ignore format: one row
  ["an array of json", String.raw`{"{\"a\": 1}","[2]"}`, 3807, [{ a: 1 }, [2]]],
  ["an array of a type that is not known", "{a,b}", 99_999, "{a,b}"],
])("reads %s", (_name, text, type, value) => {
  expect(jsonValue(text, type)).toEqual(value);
});
