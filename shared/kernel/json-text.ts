// JSON as text, made of parts that are JSON text already. Data of hosts and senders goes in as it is stored and is
// never parsed, since it may be nested too deeply for any code that copies objects.

export type Member = readonly [name: string, json: string | null | undefined];

/** The object of all members that have a value. */
export function object(all: readonly Member[]): string {
  const present = all.filter(([, json]) => json !== null && json !== undefined);
  return `{${present.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(",")}}`;
}

/** The members of a plain object. */
export function members(value: object): Member[] {
  return Object.entries(value).map(([name, part]) => [name, JSON.stringify(part)]);
}

/**
 * The same JSON, in characters that every store keeps: NUL and halves of surrogate pairs, which occur in strings only,
 * become escapes. Parsing returns the value that was sent.
 */
export function storableJson(text: string): string {
  return UNSTORABLE.test(text)
    ? text.replace(EACH_UNSTORABLE, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`)
    : text;
}

/**
 * A text for searching: characters that cannot be stored are replaced, and a part too long for any index is cut off.
 */
export function searchableText(text: string): string {
  return text.slice(0, SEARCHABLE_MAX_CHARS).replace(EACH_UNSTORABLE, "\ufffd");
}

const SEARCHABLE_MAX_CHARS = 256;
// biome-ignore lint/suspicious/noControlCharactersInRegex: the control character is the one to find.
const UNSTORABLE = /\u0000|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
const EACH_UNSTORABLE = new RegExp(UNSTORABLE, "g");
