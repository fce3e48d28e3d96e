// The tables of the control plane: organizations, people and keys. Postgres is never on the path of an event. Nothing
// here is a secret: the text of a key is derived from its ids and stored nowhere, and of an invitation's text only a
// digest is stored.
import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  check,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  timestamp,
  unique,
} from "drizzle-orm/pg-core";
import type { AuditAction } from "../api/audit.ts";
import type { Role } from "../api/roles.ts";
import type { KeyScope } from "../contracts/environment.ts";
import { HISTORY_DAYS, RETENTION_DAYS } from "../kernel/limits.ts";
import { users } from "./people.ts";

export * from "./people.ts";

const createdAt = () => timestamp("created_at", { withTimezone: true }).notNull().defaultNow();

export const organizations = pgTable(
  "organizations",
  {
    /** `org_…` */
    id: text("id").primaryKey(),
    slug: text("slug").notNull().unique("organizations_slug_unique"),
    name: text("name").notNull(),
    createdAt: createdAt(),
    /** Set while its environments are being closed; then the row is deleted, with all that belongs to it. */
    deletedAt: timestamp("deleted_at", { withTimezone: true }),
  },
  (table) => [check("organizations_slug_form", sql`${table.slug} ~ '^[a-z0-9-]{1,48}$'`)],
);

export const environments = pgTable(
  "environments",
  {
    /** `env_…`; also the name of the environment's Durable Object. */
    id: text("id").primaryKey(),
    organizationId: text("organization_id")
      .notNull()
      .references(() => organizations.id),
    slug: text("slug").notNull(),
    createdAt: createdAt(),
    archivedAt: timestamp("archived_at", { withTimezone: true }),
    /** Incremented by every change of the environment or its keys: the object accepts only a newer pushed state. */
    revision: integer("revision").notNull().default(1),
    /** The last revision that the object is known to have. If it is behind `revision`, a push is pending. */
    pushedRevision: integer("pushed_revision").notNull().default(0),
    receivesWebhooks: boolean("receives_webhooks").notNull().default(true),
    receivesSchedules: boolean("receives_schedules").notNull().default(true),
    /** Days that its object keeps ended runs and events, and days that Postgres keeps them. */
    retentionDays: integer("retention_days").notNull().default(RETENTION_DAYS),
    historyDays: integer("history_days").notNull().default(HISTORY_DAYS),
  },
  // The index also serves the foreign key: the organization is its first column.
  (table) => [unique("environments_organization_id_slug_unique").on(table.organizationId, table.slug)],
);

export const apiKeys = pgTable(
  "api_keys",
  {
    /** `key_…` */
    id: text("id").primaryKey(),
    environmentId: text("environment_id")
      .notNull()
      .references(() => environments.id),
    name: text("name").notNull(),
    /** The version of the deployment's key secret that derives this key. */
    secretVersion: integer("secret_version").notNull(),
    /** The key's permissions; an empty list grants all. */
    scopes: text("scopes").array().$type<KeyScope[]>().notNull().default([]),
    createdAt: createdAt(),
    expiresAt: timestamp("expires_at", { withTimezone: true }),
    revokedAt: timestamp("revoked_at", { withTimezone: true }),
    /** A user's id, or `operator`; null for a key older than this column. */
    createdBy: text("created_by"),
    /** The key that a rotation created in its place. */
    replacedBy: text("replaced_by"),
  },
  (table) => [index("api_keys_environment_id_index").on(table.environmentId)],
);

export const members = pgTable(
  "members",
  {
    organizationId: text("organization_id")
      .notNull()
      .references(() => organizations.id),
    userId: text("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    role: text("role").$type<Role>().notNull(),
    createdAt: createdAt(),
  },
  (table) => [
    primaryKey({ name: "members_pk", columns: [table.organizationId, table.userId] }),
    index("members_user_id_index").on(table.userId),
    check("members_role_form", sql`${table.role} in ('owner', 'admin', 'member', 'viewer')`),
  ],
);

export const invitations = pgTable(
  "invitations",
  {
    /** `inv_…` */
    id: text("id").primaryKey(),
    organizationId: text("organization_id")
      .notNull()
      .references(() => organizations.id),
    /** In lower case. */
    email: text("email").notNull(),
    role: text("role").$type<Role>().notNull(),
    /** SHA-256 of the text that accepts it, in hex. */
    digest: text("digest").notNull().unique("invitations_digest_unique"),
    /** A user's id, or `operator`. */
    createdBy: text("created_by").notNull(),
    createdAt: createdAt(),
    expiresAt: timestamp("expires_at", { withTimezone: true }).notNull(),
    acceptedAt: timestamp("accepted_at", { withTimezone: true }),
    revokedAt: timestamp("revoked_at", { withTimezone: true }),
  },
  (table) => [
    index("invitations_organization_id_index").on(table.organizationId),
    index("invitations_email_index").on(table.email),
    check("invitations_role_form", sql`${table.role} in ('owner', 'admin', 'member', 'viewer')`),
  ],
);

/** Schedules that emit a custom event into every environment. The environments' objects hold those of workflows. */
export const schedules = pgTable(
  "schedules",
  {
    /** `sch_…` */
    id: text("id").primaryKey(),
    organizationId: text("organization_id")
      .notNull()
      .references(() => organizations.id),
    name: text("name").notNull(),
    cron: text("cron").notNull(),
    timezone: text("timezone").notNull(),
    /** The name of the event that it emits. */
    event: text("event").notNull(),
    /** JSON, as text: a jsonb column refuses some JSON. */
    payload: text("payload").notNull(),
    enabled: boolean("enabled").notNull().default(true),
    createdAt: createdAt(),
  },
  // The index also serves the foreign key: the organization is its first column.
  (table) => [unique("schedules_organization_id_name_unique").on(table.organizationId, table.name)],
);

/** The audit log: actor, action and time, with ids only. No foreign key, so that entries outlive their subjects. */
export const auditLog = pgTable(
  "audit_log",
  {
    id: bigint("id", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
    at: timestamp("at", { withTimezone: true }).notNull().defaultNow(),
    organizationId: text("organization_id").notNull(),
    /** Null if the entry concerns the organization as a whole. */
    environmentId: text("environment_id"),
    /** A user's id, or `operator`. */
    actor: text("actor").notNull(),
    action: text("action").$type<AuditAction>().notNull(),
    /** The id of the changed object. */
    subject: text("subject").notNull(),
  },
  (table) => [index("audit_log_organization_id_id_index").on(table.organizationId, table.id)],
);

export type Organization = typeof organizations.$inferSelect;
export type Environment = typeof environments.$inferSelect;
export type ApiKey = typeof apiKeys.$inferSelect;
export type Member = typeof members.$inferSelect;
export type Invitation = typeof invitations.$inferSelect;
export type Schedule = typeof schedules.$inferSelect;
export type AuditEntry = typeof auditLog.$inferSelect;
