import { NeonDbError } from "@neondatabase/serverless";
import { describe, expect, test } from "vitest";
import { databaseFault } from "./database-faults.ts";

function postgresError(code: string | undefined): Error {
  const error = new NeonDbError("failed");
  error.code = code;
  return new Error("Failed query", { cause: error });
}

describe("databaseFault", () => {
  test.each([
    [undefined, "unreachable"],
    ["08006", "unreachable"],
    ["53300", "unreachable"],
    ["57P03", "unreachable"],
    ["58030", "unreachable"],
    ["28P01", "refused"],
    ["3D000", "refused"],
    ["42P01", "not migrated"],
    ["42703", "not migrated"],
    ["23505", null],
    ["42601", null],
  ])("classifies SQLSTATE %s as %s", (code, fault) => {
    expect(databaseFault(postgresError(code))).toBe(fault);
  });

  test("ignores errors that are not Postgres's", () => {
    expect(databaseFault(new Error("failed"))).toBeNull();
  });
});
