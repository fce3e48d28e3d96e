// Bytes written as text, read strictly: what is not exactly the encoding of that many bytes is no signature.
import type { Encoding } from "../../../shared/api/source-settings.ts";

const HEX = /^(?:[0-9a-f]{2})+$|^(?:[0-9A-F]{2})+$/;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const BASE64URL = /^[A-Za-z0-9_-]+={0,2}$/;

/** The bytes, or null when the text is another encoding, another length, or has a second spelling (white space, spare bits). */
export function decode(text: string, encoding: Encoding, bytes: number): Uint8Array<ArrayBuffer> | null {
  // Whoever writes base64 pads it; a missing `=` is a header that was cut off.
  if (encoding === "base64" && text.length % 4 !== 0) return null;
  const decoded = encoding === "hex" ? decodeHex(text) : decodeBase64(text, encoding);
  return decoded?.length === bytes ? decoded : null;
}

function decodeHex(text: string): Uint8Array<ArrayBuffer> | null {
  if (!HEX.test(text)) return null;
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/** Padding may be left out: in base64url it mostly is, and in secrets that people copy. */
export function decodeBase64(
  text: string,
  encoding: "base64" | "base64url" = "base64",
): Uint8Array<ArrayBuffer> | null {
  if (!(encoding === "base64" ? BASE64 : BASE64URL).test(text)) return null;
  const standard = text.replaceAll("-", "+").replaceAll("_", "/");
  try {
    const binary = atob(standard);
    // Spare bits would give the same bytes a second spelling.
    if (btoa(binary).replace(/=+$/, "") !== standard.replace(/=+$/, "")) return null;
    return Uint8Array.from(binary, (char) => char.charCodeAt(0));
  } catch {
    return null;
  }
}
