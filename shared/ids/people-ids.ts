// The ids of people and of their tokens and invitations: 80 random bits behind a prefix that names the kind.
import { encodeBase62 } from "./base62.ts";

const ID_BYTES = 10;
const SECRET_BYTES = 32;

const random = (bytes: number): string => encodeBase62(crypto.getRandomValues(new Uint8Array(bytes)));

export const newUserId = (): string => `usr_${random(ID_BYTES)}`;
export const newTokenId = (): string => `tok_${random(ID_BYTES)}`;
export const newInvitationId = (): string => `inv_${random(ID_BYTES)}`;

/** The text of a personal access token: 256 random bits. Shown once, stored as its digest only. */
export const newTokenText = (): string => `pat_${random(SECRET_BYTES)}`;
/** The text that accepts an invitation: 256 random bits. Shown once, stored as its digest only. */
export const newInvitationText = (): string => `invite_${random(SECRET_BYTES)}`;

/** The stored form of a random text: SHA-256, in hex. A text of 256 random bits needs no salt and no slow digest. */
export async function digestOfSecret(text: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
