// A workflow that listens to webhooks needs a source. When one registers, its service is announced to the source's object,
// which makes the source if there is none and changes none that is there. Postgres has no part in it.
//
// The call follows the commit and may be repeated. It needs a row only if it fails: an environment that is lost before the
// call loses its sockets too, and a host that comes back registers again. Tests: tests/workerd/webhook-registrations.test.ts.
import type { WebhookTrigger } from "../../../shared/contracts/webhook-source.ts";
import type { Trigger } from "../../../shared/wire/reference/triggers.ts";
import type { Turn } from "../state/commits.ts";
import type { EnvironmentContext } from "../state/context.ts";

const FIRST_WAIT_MS = 5_000;
const LONGEST_WAIT_MS = 3_600_000;

interface OwedRow extends Record<string, SqlStorageValue> {
  service: string;
  trigger: string;
  attempts: number;
}

/** Has the service of this trigger announced once the turn is committed. */
export function announceSource(context: EnvironmentContext, turn: Turn, trigger: Trigger): void {
  if (trigger.type !== "WEBHOOK") return;
  const { service, source, manualRegistration } = trigger;
  turn.afterwards(() => context.announce({ service, source, manualRegistration }));
}

/** Notes what came of an announcement: one that failed is made again later. */
export function noteAnnouncement(
  { sql }: Pick<EnvironmentContext, "sql">,
  trigger: WebhookTrigger,
  succeeded: boolean,
  now: number,
): void {
  const { service } = trigger;
  const [owed] = sql.exec<OwedRow>("SELECT * FROM owed_sources WHERE service = ?", service);
  if (succeeded) {
    if (owed) sql.exec("DELETE FROM owed_sources WHERE service = ?", service);
    return;
  }
  const attempts = (owed?.attempts ?? 0) + 1;
  const dueAt = now + Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(attempts - 1, 20));
  sql.exec(
    "INSERT OR REPLACE INTO owed_sources VALUES (?, ?, ?, ?)",
    service,
    JSON.stringify(trigger),
    attempts,
    dueAt,
  );
}

/** The announcements that are due. Each is postponed while it is made, so that it is not made twice at once. */
export function dueAnnouncements({ sql }: EnvironmentContext, now: number): WebhookTrigger[] {
  return sql
    .exec<OwedRow>("SELECT * FROM owed_sources WHERE due_at <= ?", now)
    .toArray()
    .map(({ trigger }) => JSON.parse(trigger) as WebhookTrigger);
}

export function postponeAnnouncements({ sql }: EnvironmentContext, now: number): void {
  sql.exec("UPDATE owed_sources SET due_at = ? WHERE due_at <= ?", now + LONGEST_WAIT_MS, now);
}
