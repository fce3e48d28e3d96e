// One text for one JSON value, to tell whether two events have the same content, and the sizes and digests of texts.
// Promises: equal values have equal canonical texts and different values different ones, at any depth.

/** Objects and arrays that are being written, and the part of each that is left. */
type Open =
  | { readonly kind: "array"; readonly items: readonly unknown[]; next: number }
  | {
      readonly kind: "object";
      readonly members: Readonly<Record<string, unknown>>;
      readonly keys: readonly string[];
      next: number;
    };

/**
 * The value as JSON without white space, members sorted by the UTF-16 code units of their keys at every depth. Takes
 * results of `JSON.parse` (a tree; the stack does not limit its depth) and writes scalars like `JSON.stringify`: -0 as
 * 0, a lone surrogate as an escape, a number beyond the range as null. An undefined member is left out too, and an
 * undefined item is null.
 */
export function canonicalJson(value: unknown): string {
  const open: Open[] = [];
  let text = start(value, open);
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const index = top.next++;
    const comma = index === 0 ? "" : ",";
    if (top.kind === "array") {
      if (index === top.items.length) {
        text += "]";
        open.pop();
      } else text += comma + start(top.items[index], open);
    } else {
      const key = top.keys[index];
      if (key === undefined) {
        text += "}";
        open.pop();
      } else text += `${comma}${JSON.stringify(key)}:${start(top.members[key], open)}`;
    }
  }
  return text;
}

/** True if objects and arrays in a result of `JSON.parse` are nested in more than this many levels. Takes no stack. */
export function nestedDeeperThan(value: unknown, levels: number): boolean {
  const containers = (values: readonly unknown[]) =>
    values.filter((each): each is object => typeof each === "object" && each !== null);
  let level = containers([value]);
  for (let left = levels; level.length > 0; left--) {
    if (left === 0) return true;
    level = level.flatMap((each) => containers(Object.values(each)));
  }
  return false;
}

/** The first 16 bytes of the SHA-256 of the text as UTF-8: enough for distinct texts to differ. */
export async function contentDigest(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(digest.slice(0, 16));
}

/** Bytes of the text as UTF-8, three for a lone surrogate as with `TextEncoder`; counted without encoding. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    bytes += 1;
    if (unit < 0x800) continue;
    // A pair is four bytes for two units: its first unit adds two. Any other unit from here on is three bytes.
    bytes += 1;
    if (isHighSurrogate(unit) && isLowSurrogate(text.charCodeAt(i + 1))) i++;
  }
  return bytes;
}

/** Returns the whole of a scalar. Of an object or array it returns the bracket and puts the rest on `open`. */
function start(value: unknown, open: Open[]): string {
  if (Array.isArray(value)) {
    open.push({ kind: "array", items: value, next: 0 });
    return "[";
  }
  if (isMembers(value)) {
    const keys = Object.keys(value).filter((key) => value[key] !== undefined);
    // Without a comparison function `sort` compares code units, the same in every locale.
    open.push({ kind: "object", members: value, keys: keys.sort(), next: 0 });
    return "{";
  }
  return JSON.stringify(value) ?? "null";
}

function isMembers(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}
