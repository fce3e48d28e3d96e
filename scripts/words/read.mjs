// Finds the comments and the test names of a source file. A small scanner tells comments, strings, templates and regular
// expressions apart; a parser would know more, and would be slower than the rest of the check.

/** Languages by file extension: the marks of their comments and strings. */
const SCRIPT = { line: "//", block: ["/*", "*/"], quotes: "\"'`", script: true };
const LANGUAGES = {
  ts: SCRIPT,
  tsx: SCRIPT,
  mts: SCRIPT,
  js: SCRIPT,
  mjs: SCRIPT,
  css: { block: ["/*", "*/"], quotes: "\"'" },
  html: { block: ["<!--", "-->"], quotes: "" },
  sql: { line: "--", block: ["/*", "*/"], quotes: "'\"" },
  toml: { line: "#", quotes: "\"'" },
  yml: { line: "#", quotes: "\"'" },
};

export const EXTENSIONS = Object.keys(LANGUAGES);

/** After these words and characters a slash opens a regular expression; after anything else it divides. */
const BEFORE_REGEX = /(?:^|[-(,=:[!&|?{;+*%>~^]|\b(?:return|typeof|case|in|of|do|else|await|yield|throw))$/;

/**
 * Scans a file. `comments` are `{ line, text }`, line comments below each other joined into one. `code` is the text with
 * spaces in place of comments and of all that stands in quotes, so that its offsets are those of the file.
 */
export function scan(text, extension) {
  const language = LANGUAGES[extension];
  const { line, block, quotes, script } = language;
  const comments = [];
  const code = text.split("");
  const holes = [];
  let braces = 0;
  let before = "";
  let at = 0;
  const blank = (from, to) => {
    for (let i = from; i < Math.min(to, code.length); i++) if (code[i] !== "\n") code[i] = " ";
  };
  /** Blanks a literal from `from` to `end`, its closing mark, and goes on behind that. */
  const literal = (from, end) => {
    blank(from, end);
    at = end + 1;
    before = "x";
  };
  /** Blanks the part of a template that begins at `from`; the code of a hole is scanned like any other. */
  const template = (from) => {
    const end = templateEnd(text, from);
    literal(from, end);
    if (text[end] !== "$") return;
    holes.push(braces);
    at = end + 2;
    before = "{";
  };

  while (at < text.length) {
    const char = text[at];
    if (line !== undefined && text.startsWith(line, at)) {
      const end = endOf(text, "\n", at);
      comments.push({ offset: at, end, text: text.slice(at + line.length, end) });
      blank(at, end);
      at = end;
    } else if (block !== undefined && text.startsWith(block[0], at)) {
      const end = endOf(text, block[1], at + block[0].length);
      comments.push({ offset: at, end, text: text.slice(at + block[0].length, end) });
      blank(at, end + block[1].length);
      at = end + block[1].length;
    } else if (script && char === "`") {
      template(at + 1);
    } else if (script && char === "}" && holes.at(-1) === braces) {
      holes.pop();
      template(at + 1);
    } else if (quotes.includes(char)) {
      literal(at + 1, stringEnd(text, at, language === LANGUAGES.sql));
    } else if (script && char === "/" && BEFORE_REGEX.test(before)) {
      literal(at + 1, regexEnd(text, at));
    } else {
      if (char === "{") braces++;
      if (char === "}") braces--;
      if (!/\s/.test(char)) before = /\w/.test(char) && /\w/.test(text[at - 1] ?? "") ? before + char : char;
      at++;
    }
  }
  return { comments: joined(comments, text), code: code.join("") };
}

/** Joins line comments that stand below each other in one column. Block comments stay as they are. */
function joined(comments, text) {
  const blocks = [];
  for (const { offset, end, text: words } of comments) {
    const line = lineOf(text, offset);
    const column = offset - (text.lastIndexOf("\n", offset - 1) + 1);
    const last = blocks.at(-1);
    if (last !== undefined && last.column === column && last.lastLine === line - 1 && !words.includes("\n")) {
      last.text += `\n${words}`;
      last.lastLine = line;
    } else blocks.push({ line, column, text: words, lastLine: lineOf(text, end) });
  }
  return blocks;
}

/** The line that an offset lies in, counted from 1. */
export function lineOf(text, offset) {
  let line = 1;
  for (let at = text.indexOf("\n"); at !== -1 && at < offset; at = text.indexOf("\n", at + 1)) line++;
  return line;
}

function endOf(text, mark, from) {
  const end = text.indexOf(mark, from);
  return end === -1 ? text.length : end;
}

/** A string ends at its quote, or at the end of the line: an apostrophe in the text of a page is no string. */
function stringEnd(text, from, overLines) {
  for (let i = from + 1; i < text.length; i++) {
    if (text[i] === text[from] || (text[i] === "\n" && !overLines)) return i;
    if (text[i] === "\\") i++;
  }
  return text.length;
}

/** The part of a template ends at its backtick, or at the `$` of `${`: the scan goes on in the braces as in code. */
function templateEnd(text, from) {
  for (let i = from; i < text.length; i++) {
    if (text[i] === "`" || (text[i] === "$" && text[i + 1] === "{")) return i;
    if (text[i] === "\\") i++;
  }
  return text.length;
}

/** A regular expression ends at a slash outside of a class, or at the end of the line, where it was a division. */
function regexEnd(text, from) {
  let inClass = false;
  for (let i = from + 1; i < text.length; i++) {
    if (text[i] === "\n" || (text[i] === "/" && !inClass)) return i;
    if (text[i] === "\\") i++;
    else if (text[i] === "[") inClass = true;
    else if (text[i] === "]") inClass = false;
  }
  return text.length;
}

/** The names of tests and groups in a test file: `{ line, call, title }`, `call` being "it", "test" or "describe". */
export function titles(text) {
  const { code } = scan(text, "ts");
  const found = [];
  for (const match of code.matchAll(/(?<![\w.$])(it|test|describe)(?=[.(])/g)) {
    const open = titleAt(code, match.index + match[1].length);
    if (open === null) continue;
    const title = text.slice(open + 1, code.indexOf(code[open], open + 1));
    found.push({ line: lineOf(text, open), call: match[1], title });
  }
  return found;
}

/** Offset of the quote that opens a title, after `it`, `it.only`, `it.each<…>(…)` and the like. Null without a literal. */
function titleAt(code, from) {
  const call = /\s*(?:\.(\w+))?\s*/y;
  for (let at = from; ; ) {
    call.lastIndex = at;
    const [all, member] = call.exec(code);
    at += all.length;
    if (code[at] === "<") at = behind(code, at, "<", ">");
    if (code[at] !== "(") {
      if (member === undefined) return null;
    } else if (["each", "for", "runIf", "skipIf"].includes(member)) {
      at = behind(code, at, "(", ")");
    } else {
      const quote = at + 1 + code.slice(at + 1).search(/\S/);
      return "\"'`".includes(code[quote]) ? quote : null;
    }
  }
}

/** Offset behind the bracket that closes the one at `from`. The arrow of a function type closes none. */
function behind(code, from, open, close) {
  for (let at = from, depth = 0; at < code.length; at++) {
    if (code[at] === open) depth++;
    if (code[at] === close && code[at - 1] !== "=" && --depth === 0) return at + 1;
  }
  return code.length;
}
