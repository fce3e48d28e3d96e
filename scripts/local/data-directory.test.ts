// The data directory: accessible to this user alone, with secrets made once.
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parseKeySecrets } from "../../shared/ids/keys.ts";
import { openDataDirectory } from "./data-directory.ts";
import { localSecrets } from "./secrets.ts";

let parent: string;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), "switchyard-test-"));
});
afterEach(() => rm(parent, { recursive: true }));

test("creates the directory with its parents, for this user alone", async () => {
  const { path } = await openDataDirectory(join(parent, "a", "b"));
  expect((await stat(path)).mode & 0o777).toBe(0o700);
});

test("refuses a directory that cannot be written to, with the path and the way out", async () => {
  const file = join(parent, "file");
  await writeFile(file, "");
  await expect(openDataDirectory(file)).rejects.toThrow(/file cannot be written to .*--data DIR/);
  await expect(openDataDirectory(join(file, "inside"))).rejects.toThrow(/cannot be written to/);
});

test("keeps its secrets: the second start has those of the first", async () => {
  const { secrets } = await openDataDirectory(parent);
  const made = await localSecrets(secrets);
  expect((await parseKeySecrets(made.KEY_SECRETS)).current).toBe(1);
  expect(made.SETUP_TOKEN.length).toBeGreaterThanOrEqual(16);
  expect((await stat(secrets)).mode & 0o777).toBe(0o600);
  expect(await localSecrets(secrets)).toEqual(made);
});

test.each(["", "{}", '{"KEY_SECRETS":1,"SETUP_TOKEN":"x"}'])(
  "never replaces secrets that it cannot read: %j",
  async (text) => {
    const { secrets } = await openDataDirectory(parent);
    await writeFile(secrets, text);
    await expect(localSecrets(secrets)).rejects.toThrow("would change every key");
    expect(await readFile(secrets, "utf8")).toBe(text);
  },
);
