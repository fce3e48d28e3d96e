// The tables of people: who can sign in, and with what. The TypeScript names of the columns are better-auth's. No
// password, token or session works from a stolen copy: passwords are scrypt digests, personal access tokens SHA-256 of
// 256 random bits, and a session's token counts only with a signature under the deployment's secret.
import { boolean, index, pgTable, text, timestamp } from "drizzle-orm/pg-core";

const time = (name: string) => timestamp(name, { withTimezone: true });
const createdAt = () => time("created_at").notNull().defaultNow();
const updatedAt = () => time("updated_at").notNull().defaultNow();
const userId = () =>
  text("user_id")
    .notNull()
    .references(() => users.id, { onDelete: "cascade" });

export const users = pgTable("users", {
  /** `usr_…` */
  id: text("id").primaryKey(),
  name: text("name").notNull(),
  /** In lower case. */
  email: text("email").notNull().unique("users_email_unique"),
  emailVerified: boolean("email_verified").notNull().default(false),
  image: text("image"),
  createdAt: createdAt(),
  updatedAt: updatedAt(),
});

export const sessions = pgTable(
  "sessions",
  {
    id: text("id").primaryKey(),
    token: text("token").notNull().unique("sessions_token_unique"),
    userId: userId(),
    expiresAt: time("expires_at").notNull(),
    ipAddress: text("ip_address"),
    userAgent: text("user_agent"),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (table) => [index("sessions_user_id_index").on(table.userId)],
);

/** A user's way to sign in: a password (`credential`) or a provider such as GitHub. */
export const accounts = pgTable(
  "accounts",
  {
    id: text("id").primaryKey(),
    userId: userId(),
    providerId: text("provider_id").notNull(),
    accountId: text("account_id").notNull(),
    /** A digest. */
    password: text("password"),
    // Encrypted by better-auth.
    accessToken: text("access_token"),
    refreshToken: text("refresh_token"),
    idToken: text("id_token"),
    accessTokenExpiresAt: time("access_token_expires_at"),
    refreshTokenExpiresAt: time("refresh_token_expires_at"),
    scope: text("scope"),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (table) => [index("accounts_user_id_index").on(table.userId)],
);

/** The state that a sign-in through a provider must return with. */
export const verifications = pgTable(
  "verifications",
  {
    id: text("id").primaryKey(),
    identifier: text("identifier").notNull(),
    value: text("value").notNull(),
    expiresAt: time("expires_at").notNull(),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (table) => [index("verifications_identifier_index").on(table.identifier)],
);

/** Personal access tokens: a member's programs use them in place of a session. */
export const accessTokens = pgTable(
  "access_tokens",
  {
    /** `tok_…` */
    id: text("id").primaryKey(),
    userId: userId(),
    name: text("name").notNull(),
    /** SHA-256 of the text, in hex. */
    digest: text("digest").notNull().unique("access_tokens_digest_unique"),
    createdAt: createdAt(),
    /** To the minute. */
    lastUsedAt: time("last_used_at"),
    expiresAt: time("expires_at"),
  },
  (table) => [index("access_tokens_user_id_index").on(table.userId)],
);

export type User = typeof users.$inferSelect;
export type AccessToken = typeof accessTokens.$inferSelect;
