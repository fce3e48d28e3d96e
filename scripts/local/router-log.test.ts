// The stored part of the runtime's messages, and the shown part.
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { logLine, openRouterLog } from "./router-log.ts";

const AT = Date.parse("2026-03-01T12:00:00Z");
const LINE = '{"time":"2026-03-01T12:00:00.000Z","level":"info","message":"request"}';
let directory = "";

afterEach(() => rm(directory, { recursive: true, force: true }));

test("keeps the router's own line as it is", () => {
  expect(logLine("log", LINE, AT)).toBe(LINE);
});

test("turns a line of the runtime into JSON, without the stack below it", () => {
  const line = logLine("error", "Error: broken\n    at secret (file.js:1:2)", AT);
  expect(JSON.parse(line)).toEqual({ time: "2026-03-01T12:00:00.000Z", level: "error", message: "Error: broken" });
});

test("keeps all lines in a file that only this user may read, and shows warnings and errors", async () => {
  directory = await mkdtemp(join(tmpdir(), "switchyard-test-"));
  const path = join(directory, "router.log");
  const shown: string[] = [];
  const write = (verbose: boolean) => {
    const log = openRouterLog(path, (line) => shown.push(line), verbose);
    log.write("log", LINE, AT);
    log.write("warn", LINE.replace("info", "warn"), AT);
  };
  write(false);
  expect(shown).toEqual([LINE.replace("info", "warn")]);
  write(true);
  expect(shown).toHaveLength(3);
  expect((await readFile(path, "utf8")).split("\n")).toHaveLength(5);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});
