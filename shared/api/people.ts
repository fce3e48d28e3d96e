// People on the wire of the management API: the one who is signed in, personal access tokens, owners.
import { z } from "zod";

/** As better-auth takes it: with a dot in the domain. Kept in lower case. */
export const Email = z
  .string("an address is text")
  .trim()
  .toLowerCase()
  .max(254, "an address has 254 characters at most")
  .pipe(z.email("give an address such as name@example.com"));
/** What a page and a text column can show: no control characters, no half of a pair. */
export const PRINTABLE = /^[^\p{Cc}\p{Cs}]*$/u;
export const PersonName = z
  .string("a name is text")
  .trim()
  .min(1, "a name has 1 to 100 characters")
  .max(100, "a name has 1 to 100 characters")
  .regex(PRINTABLE, "a name must be printable");
export const Password = z
  .string("a password is text")
  .min(8, "a password has 8 to 128 characters")
  .max(128, "a password has 8 to 128 characters");
/** A moment that is answered or sent: ISO 8601. */
export const Time = z.iso.datetime({ offset: true, error: "give a time such as 2027-01-31T12:00:00Z" });

export const Person = z.object({ id: z.string(), email: z.string(), name: z.string() }).meta({ id: "Person" });
export type Person = z.infer<typeof Person>;

export const Token = z
  .object({
    id: z.string(),
    name: z.string(),
    createdAt: Time,
    lastUsedAt: Time.nullable().meta({ description: "To the minute." }),
    expiresAt: Time.nullable(),
  })
  .meta({ id: "Token" });
export type Token = z.infer<typeof Token>;
export const NewToken = Token.extend({
  token: z.string().meta({ description: "The text, shown this once." }),
}).meta({ id: "NewToken" });

/** `POST /api/v1/tokens` */
export const PostedToken = z.strictObject({ name: PersonName, expiresAt: Time.nullable().default(null) });

/** `POST …/owners`: whoever has the address becomes an owner; an account is made for them if they have none. */
export const PostedOwner = z.strictObject({ email: Email, name: PersonName.default("Owner"), password: Password });
