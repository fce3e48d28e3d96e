// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the cases are source text
// `npm run words` on small files: the places that it lists, and when it fails.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const SCRIPT = join(import.meta.dirname, "words.mjs");
const folder = mkdtempSync(join(tmpdir(), "words-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The places listed in one file, as "line: text", with the exit code and the rows of counts. */
function words(name: string, text: string) {
  const file = join(folder, name);
  writeFileSync(file, text);
  const run = spawnSync(process.execPath, [SCRIPT, "--list", file], { encoding: "utf8" });
  const lines = run.stdout.trim().split("\n");
  const places = lines.filter((line) => line.includes(`${name}:`)).map((line) => line.split(`${name}:`)[1]);
  return { status: run.status, places, total: lines.at(-1)?.replace(/\s+/g, " ") };
}

describe("comments", () => {
  it.each([
    ["// It opens with a pronoun.\n", ["1: It opens with a pronoun."]],
    ["// The first line ends here. What\n// it says goes on.\n", ["1: What it says goes on."]],
    ["/**\n * Fine words at first.\n *\n * Those made last are scanned.\n */\n", ["4: Those made last are scanned."]],
    ["// Notes:\n// - a first bullet is fine\n// - which of them is bad\n", ["3: which of them is bad"]],
    ["const a = 1; // How it is written here.\n// It stands in another column.\n", [1, 2]],
    ["// It is short.\n// `It` is code here, not a word.\n// Its subject is fine this time.\n", []],
    ["// For example e.g. It is no end.\n// One more host is fine here.\n", []],
    ["// biome-ignore lint: What a directive says is not counted\n", []],
  ])("counts the sentences of %j", (text, places) => {
    const found = words("file.ts", text).places;
    expect(found).toHaveLength(places.length);
    for (const [index, place] of places.entries()) expect(found[index]).toContain(String(place));
  });

  it.each([
    ['const a = "// It is a string here.";\n'],
    ["const a = `// It is a template ${b ? `/* It is nested too. */` : {}} // It is still one.`;\n"],
    ["const a = /[/*] It is a pattern [/]/.test(b) && / // It is too/;\n"],
    ['const a = "\\"// It is after an escape.";\n'],
  ])("reads no comment in %j", (text) => {
    expect(words("file.ts", text)).toMatchObject({ status: 0, total: "all 0 of 0 sentences 0.0 %" });
  });

  it.each([
    ["const a = `${b}`; // It is after a template.\n"],
    ["const a = `${{ b: `}` }.b}`; // It is after a nested one.\n"],
    ["const a = b / 2; // It is after a division.\n"],
    ["const a = b.replace(/[/'\"`]/g, ''); // It is after a pattern.\n"],
    ["const a = 'it\\'s'; /* It is after an escape. */\n"],
  ])("reads the comment in %j", (text) => {
    expect(words("file.ts", text).places).toHaveLength(1);
  });

  it.each([
    ["page.tsx", "<p>\n  It's text. <br />\n  {/* It is a comment of a page. */}\n</p>\n"],
    ["query.sql", "select '-- It is a string'; -- It is a comment.\n"],
    ["settings.toml", 'a = "# It is a string" # It is a comment.\n'],
    ["style.css", 'a::after { content: "/* It is a string */"; } /* It is a comment. */\n'],
    ["index.html", "<!-- It is a comment here. --><p>It is text here.</p>\n"],
  ])("reads the comments of %s", (name, text) => {
    expect(words(name, text).places).toHaveLength(1);
  });
});

describe("test names", () => {
  it.each([
    ['it("is refused", () => {});', 1],
    ['it.each([\n  ["that is a row (not a name"],\n])("with %s", () => {});', 1],
    ["it.runIf(RUNS > 0)(\n  `to ${a} is refused`,\n  () => {},\n);", 1],
    ['test.skip("One key is refused", () => {});', 1],
    ['it("refuses what is not there", () => {});', 0],
    ['it("islands, tone and inner are no such words", () => {});', 0],
    ['it.each<[string, (a: Scene) => A<B>, number]>([])("is refused", () => {});', 1],
    ['pattern.test("is refused"); const a = submit("is");', 0],
    ['// it("is refused")\nconst a = \'it("is refused")\';', 0],
    ['describe("that is refused", () => {});', 1],
    ['describe("with limits off", () => {});', 0],
  ])("judges %j: %i places", (text, places) => {
    expect(words("some.test.ts", text).places).toHaveLength(places);
  });

  it("reads names only in test files", () => {
    expect(words("other.ts", 'it("is refused", () => {});').places).toEqual([]);
  });
});

describe("the limits", () => {
  const fine = "// The router closes the socket.\n\n".repeat(97);
  const bad = "// It closes the socket now.\n\n";

  it("allow three percent of comment sentences", () => {
    expect(words("file.ts", fine + bad.repeat(3))).toMatchObject({ status: 0, total: "all 3 of 100 sentences 3.0 %" });
    expect(words("file.ts", fine + bad.repeat(4))).toMatchObject({ status: 1 });
  });

  it("allow no test name", () => {
    const good = 'it("refuses a key", () => {});\n';
    expect(words("some.test.ts", good)).toMatchObject({ status: 0 });
    expect(words("some.test.ts", `${good}it("is refused", () => {});\n`)).toMatchObject({ status: 1 });
  });
});
