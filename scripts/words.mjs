// `npm run words`: counts comment sentences and test names that hide their subject, and fails above the limits.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { extname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { isBadTitle, opensBadly, sentences } from "./words/judge.mjs";
import { EXTENSIONS, scan, titles } from "./words/read.mjs";

/** Over all folders: percent of the sentences of comments, and the number of test names. */
const LIMITS = { percent: 3, titles: 0 };

const HELP = `Counts comment sentences that open with a pronoun and test names that do not open with a verb.

  npm run words -- [options] [files or folders]

  --list   prints each place as file:line
  --help   shows this

Fails if more than ${LIMITS.percent} % of the comment sentences or more than ${LIMITS.titles} test names are counted.
`;

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SKIPPED = new Set(["node_modules", "dist", ".git", ".data", ".wrangler"]);

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { list: { type: "boolean", default: false }, help: { type: "boolean", short: "h", default: false } },
});
if (values.help) console.log(HELP);
else process.exitCode = report(positionals.length > 0 ? positionals : [ROOT], values.list);

function report(paths, list) {
  const folders = new Map();
  const total = { sentences: 0, bad: 0, titles: 0, badTitles: 0 };
  for (const file of paths.flatMap(filesOf)) {
    const found = judge(readFileSync(file, "utf8"), extname(file).slice(1), /\.test\.tsx?$/.test(file));
    const name = relative(ROOT, file);
    if (list) for (const { line, text } of found.places) console.log(`${name}:${line}: ${text}`);
    const folder = folderOf(name);
    if (!folders.has(folder)) folders.set(folder, { sentences: 0, bad: 0, titles: 0, badTitles: 0 });
    for (const count of [total, folders.get(folder)]) {
      for (const key of Object.keys(count)) count[key] += found.counts[key];
    }
  }
  const rows = [...folders].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, count] of [...rows, ["all", total]]) console.log(row(name, count));
  if (total.bad * 100 <= total.sentences * LIMITS.percent && total.badTitles <= LIMITS.titles) return 0;
  console.error(
    `At most ${LIMITS.percent} % of comment sentences and ${LIMITS.titles} test names may be counted. Open a sentence with ` +
      "its subject and a test name with a verb. `npm run words -- --list` shows each place.",
  );
  return 1;
}

function judge(text, extension, isTest) {
  const counts = { sentences: 0, bad: 0, titles: 0, badTitles: 0 };
  const places = [];
  for (const comment of scan(text, extension).comments) {
    for (const { line, sentence } of sentences(comment.text)) {
      counts.sentences++;
      if (!opensBadly(sentence)) continue;
      counts.bad++;
      places.push({ line: comment.line + line, text: sentence });
    }
  }
  for (const { line, call, title } of isTest ? titles(text) : []) {
    if (call !== "describe") counts.titles++;
    if (!isBadTitle(call, title)) continue;
    counts.badTitles++;
    places.push({ line, text: `${call}: ${title}` });
  }
  return { counts, places };
}

/** A file, or the files below a folder that this script can read. */
function filesOf(path) {
  if (!statSync(path).isDirectory()) return EXTENSIONS.includes(extname(path).slice(1)) ? [path] : [];
  return readdirSync(path)
    .filter((name) => !SKIPPED.has(name))
    .flatMap((name) => filesOf(join(path, name)));
}

/** Large folders are counted by the folders in them. */
function folderOf(name) {
  const parts = name.split(sep).slice(0, -1);
  return parts.slice(0, ["shared", "tests", "workers"].includes(parts[0]) ? 2 : 1).join("/") || ".";
}

function row(name, { sentences, bad, titles, badTitles }) {
  const percent = ((bad * 100) / Math.max(sentences, 1)).toFixed(1);
  const names = titles > 0 ? `${badTitles} of ${titles} test names` : "";
  return `${name.padEnd(22)}${`${bad} of ${sentences} sentences`.padEnd(24)}${percent.padStart(5)} %   ${names}`.trimEnd();
}
