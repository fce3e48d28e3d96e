// Base62 of fixed width, for ids and keys. Every value has exactly one text and every text at most one value. Texts of
// one width sort (by ASCII) like their values (bytes as a big-endian number).

/** In ASCII order, so that texts sort like values. */
const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BASE = 62;

/** Value of each ASCII code, or -1. */
const DIGITS = Int8Array.from({ length: 128 }, (_, code) => ALPHABET.indexOf(String.fromCharCode(code)));

/** Characters needed for `byteLength` bytes: 14 for 10, 9 for 6, 45 for 33. */
export function base62Width(byteLength: number): number {
  return Math.ceil((byteLength * 8) / Math.log2(BASE));
}

/** The bytes as one big-endian number in `base62Width(bytes.length)` characters. */
export function encodeBase62(bytes: Uint8Array): string {
  const digits = new Uint8Array(base62Width(bytes.length));
  for (const byte of bytes) {
    let carry = byte;
    for (let i = digits.length - 1; i >= 0; i--) {
      carry += (digits[i] ?? 0) * 256;
      digits[i] = carry % BASE;
      carry = Math.floor(carry / BASE);
    }
  }
  let text = "";
  for (const digit of digits) text += ALPHABET.charAt(digit);
  return text;
}

/** The reverse of `encodeBase62`; null for another width, another character, or a number that needs more bytes. */
export function decodeBase62(text: string, byteLength: number): Uint8Array<ArrayBuffer> | null {
  if (text.length !== base62Width(byteLength)) return null;
  const bytes = new Uint8Array(byteLength);
  for (let at = 0; at < text.length; at++) {
    let carry = digitAt(text, at);
    if (carry < 0) return null;
    for (let i = byteLength - 1; i >= 0; i--) {
      carry += (bytes[i] ?? 0) * BASE;
      bytes[i] = carry & 0xff;
      carry >>= 8;
    }
    if (carry !== 0) return null;
  }
  return bytes;
}

/**
 * A non-negative safe integer in exactly `width` characters; 9 hold every safe integer.
 * Throws a RangeError when it is not such an integer or does not fit.
 */
export function encodeBase62Integer(value: number, width: number): string {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError("not a non-negative safe integer");
  let rest = value;
  let text = "";
  for (let i = 0; i < width; i++) {
    text = ALPHABET.charAt(rest % BASE) + text;
    rest = Math.floor(rest / BASE);
  }
  if (rest !== 0) throw new RangeError(`the integer does not fit ${width} base62 characters`);
  return text;
}

/** The reverse of `encodeBase62Integer`; null for another width, another character, or more than a safe integer. */
export function decodeBase62Integer(text: string, width: number): number | null {
  if (text.length !== width) return null;
  let value = 0;
  for (let at = 0; at < text.length; at++) {
    const digit = digitAt(text, at);
    // Checked before the step, while every number involved is still exact.
    if (digit < 0 || value > (Number.MAX_SAFE_INTEGER - digit) / BASE) return null;
    value = value * BASE + digit;
  }
  return value;
}

function digitAt(text: string, at: number): number {
  return DIGITS[text.charCodeAt(at)] ?? -1;
}
