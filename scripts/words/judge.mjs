// The rules for the words of comments and test names. A sentence that opens with a pronoun or a free relative ("What it
// says from here on …") hides its subject until the reader is through; a test's name states behaviour and opens with a verb.

const OPENERS = /^(?:what|whether|who|whoever|those|one that|one of|that|how|which|it)(?!\w)/i;
const NO_VERB = /^(?:that|what|whether|who|those|one|of|in|on|at|with|without|by|to|is|are)(?!\w)/i;
/** A group is named by its subject, which may follow a preposition ("with limits off"). */
const NO_SUBJECT = /^(?:that|what|whether|who|those|one|is|are)(?!\w)/i;
const FEWEST_WORDS = 4;

/** The sentences of a comment with four words or more, as `{ line, sentence }`; `line` counts from the comment's own. */
export function sentences(comment) {
  const found = [];
  for (const { line, text } of paragraphs(comment)) {
    let at = 0;
    for (const sentence of text.split(/(?<=[.!?][)"'`]*)(?<!\b(?:e\.g|i\.e|vs|cf)\.)\s+(?=["'`(]*[A-Z0-9])/)) {
      const start = text.indexOf(sentence, at);
      at = start + sentence.length;
      const words = sentence.split(/\s+/).filter((word) => /\w/.test(word));
      const above = text.slice(0, start).split("\n").length - 1;
      if (words.length >= FEWEST_WORDS) found.push({ line: line + above, sentence: sentence.replace(/\s+/g, " ") });
    }
  }
  return found;
}

/** A blank line, a bullet and a tag end a paragraph, and with it a sentence. */
function paragraphs(comment) {
  const found = [];
  let fresh = true;
  for (const [line, raw] of comment.split("\n").entries()) {
    const text = raw.replace(/^\s*\*?\s?/, "").trim();
    if (text === "" || /^(?:biome-ignore|@ts-)/.test(text)) fresh = true;
    else if (fresh || /^(?:[-*•]|\d+\.|@\w+)\s/.test(text)) {
      found.push({ line, text: text.replace(/^(?:[-*•]|\d+\.|@\w+)\s+/, "") });
      fresh = false;
    } else found.at(-1).text += `\n${text}`;
  }
  return found;
}

export const opensBadly = (sentence) => OPENERS.test(sentence.replace(/^["'(*_]+/, ""));

export const isBadTitle = (call, title) => (call === "describe" ? NO_SUBJECT : NO_VERB).test(title.trim());
