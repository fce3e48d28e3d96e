// The environment's identity and keys, as the control plane last pushed them.
import type { EnvironmentState } from "../../../shared/contracts/environment.ts";
import { HISTORY_DAYS, RETENTION_DAYS } from "../../../shared/kernel/limits.ts";
import type { Identity } from "../state/context.ts";

interface SettingsRow extends Record<string, SqlStorageValue> {
  revision: number;
  organization_id: string;
  organization_slug: string;
  environment_id: string;
  environment_slug: string;
  retention_days: number;
  history_days: number;
  lowered_at: number;
  earlier_days: number;
}

/** Stores a pushed state, unless one as new is stored. Answers the revision in force, and whether it is this one. */
export function writeState(
  sql: SqlStorage,
  state: EnvironmentState,
  now: number,
): { revision: number; isNew: boolean } {
  const [stored] = sql.exec<SettingsRow>("SELECT * FROM settings");
  if (stored && stored.revision >= state.revision) return { revision: stored.revision, isNew: false };
  const { organization, environment } = state;
  const { days, historyDays } = state.retention ?? { days: RETENTION_DAYS, historyDays: HISTORY_DAYS };
  // Lowered twice in a row, the longest of the promises is kept.
  const lowered = stored !== undefined && days < stored.retention_days;
  const earlierDays = lowered ? Math.max(stored.retention_days, stored.earlier_days) : (stored?.earlier_days ?? 0);
  sql.exec(
    `INSERT OR REPLACE INTO settings (one, revision, organization_id, organization_slug, environment_id, environment_slug,
       receives_webhooks, receives_schedules, retention_days, history_days, lowered_at, earlier_days)
     VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    state.revision,
    organization.id,
    organization.slug,
    environment.id,
    environment.slug,
    state.receives?.webhooks === false ? 0 : 1,
    state.receives?.schedules === false ? 0 : 1,
    days,
    historyDays,
    lowered ? now : (stored?.lowered_at ?? 0),
    earlierDays,
  );
  sql.exec("DELETE FROM keys");
  for (const key of state.keys) {
    sql.exec("INSERT INTO keys VALUES (?, ?, ?)", key.id, JSON.stringify(key.scopes), key.expiresAt);
  }
  return { revision: state.revision, isNew: true };
}

/** Whether deliveries of webhook sources reach this environment. */
export function receivesWebhooks(sql: SqlStorage): boolean {
  return sql.exec<{ receives: number }>("SELECT receives_webhooks AS receives FROM settings").one().receives === 1;
}

/** Whether schedules emit into this environment. True before it was told anything. */
export function receivesSchedules(sql: SqlStorage): boolean {
  const [row] = sql.exec<{ receives: number }>("SELECT receives_schedules AS receives FROM settings").toArray();
  return row?.receives !== 0;
}

export function readIdentity(sql: SqlStorage): Identity {
  const row = sql.exec<SettingsRow>("SELECT * FROM settings").one();
  return {
    organizationId: row.organization_id,
    organizationSlug: row.organization_slug,
    environmentId: row.environment_id,
    environmentSlug: row.environment_slug,
    retention: {
      days: row.retention_days,
      historyDays: row.history_days,
      loweredAt: row.lowered_at,
      earlierDays: row.earlier_days,
    },
  };
}
