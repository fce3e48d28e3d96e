// The object of one organization's webhook sources, named by the organization's id: which sources there are, for people
// to see, and which environments each hands its deliveries to. Nothing of it is in Postgres, so that a workflow can
// register while that is away; why, is said in docs/decisions/0008-sources-without-postgres.md.
//
// It is told of environments by the control plane, with every push of their state, and tells the sources before it answers:
// a push that could not tell one of them is repeated as any other is, see workers/console/control/apply-change.ts. It needs no alarm.
import { DurableObject } from "cloudflare:workers";
import type {
  EnvironmentList,
  EnvironmentPlace,
  ListedSource,
  SourceBookRpc,
  SourceEnvironment,
} from "../../../shared/contracts/webhook-source.ts";
import { SOURCES_MAX } from "../../../shared/kernel/limits.ts";
import type { Env } from "../../env.ts";
import { hasTable, migrateStorage } from "../../platform/object-storage.ts";

const STEPS: readonly string[] = [
  `
  CREATE TABLE book (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    -- Of the list of environments: raised by every change of it.
    version INTEGER NOT NULL,
    -- 1 from when the last environment was deleted on.
    deleted INTEGER NOT NULL
  );
  INSERT INTO book VALUES (1, 0, 0);

  CREATE TABLE environments (
    id TEXT PRIMARY KEY,
    slug TEXT NOT NULL,
    -- As the control plane counts it; 0 for one that is known from a registration only.
    revision INTEGER NOT NULL,
    receives_webhooks INTEGER NOT NULL,
    deleted INTEGER NOT NULL DEFAULT 0
  ) WITHOUT ROWID;

  CREATE TABLE sources (
    service TEXT PRIMARY KEY,
    name TEXT NOT NULL
  ) WITHOUT ROWID;
  `,
  `
  -- The version of the list that the source is known to have.
  ALTER TABLE sources ADD COLUMN told_version INTEGER NOT NULL DEFAULT 0;
  `,
];

export class SourceBook extends DurableObject<Env> implements SourceBookRpc {
  async place({ environment, revision, receivesWebhooks }: EnvironmentPlace): Promise<void> {
    const { storage } = this.ctx;
    migrateStorage(storage, STEPS);
    storage.transactionSync(() => this.#place(environment, revision, receivesWebhooks));
    await this.#tellSources();
  }

  async displace(environmentId: string): Promise<void> {
    const { storage } = this.ctx;
    if (!hasTable(storage.sql, "book")) return;
    migrateStorage(storage, STEPS);
    storage.transactionSync(() => {
      storage.sql.exec("UPDATE environments SET deleted = 1, receives_webhooks = 0 WHERE id = ?", environmentId);
      storage.sql.exec(
        "UPDATE book SET version = version + 1, deleted = NOT EXISTS (SELECT 1 FROM environments WHERE deleted = 0)",
      );
    });
    if (!this.#isDeleted()) return this.#tellSources();
    await Promise.all(this.#sources().map(({ name }) => this.env.WEBHOOK_SOURCE.getByName(name).remove()));
  }

  async join(
    source: ListedSource,
    environment: SourceEnvironment | null,
  ): Promise<EnvironmentList | "deleted" | "full"> {
    const { storage } = this.ctx;
    migrateStorage(storage, STEPS);
    if (this.#isDeleted()) return "deleted";
    const others = this.#sources().filter(({ service }) => service !== source.service);
    if (others.length >= SOURCES_MAX) return "full";
    storage.transactionSync(() => {
      if (environment !== null) this.#place(environment, 0, true);
      storage.sql.exec("INSERT OR IGNORE INTO sources (service, name) VALUES (?, ?)", source.service, source.name);
    });
    return this.#environments();
  }

  async leave(service: string): Promise<void> {
    if (hasTable(this.ctx.storage.sql, "book"))
      this.ctx.storage.sql.exec("DELETE FROM sources WHERE service = ?", service);
  }

  async list({ limit, cursor }: { limit: number; cursor: string | null }): Promise<ListedSource[]> {
    return hasTable(this.ctx.storage.sql, "book") ? this.#sources(cursor ?? "", limit) : [];
  }

  /** Changes nothing unless it is newer than what is known. */
  #place({ id, slug }: SourceEnvironment, revision: number, receives: boolean): void {
    const { sql } = this.ctx.storage;
    const [known] = sql.exec<{ revision: number }>("SELECT revision FROM environments WHERE id = ?", id);
    if (known !== undefined && known.revision >= revision) return;
    sql.exec(
      `INSERT INTO environments (id, slug, revision, receives_webhooks) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET slug = excluded.slug, revision = excluded.revision,
         receives_webhooks = excluded.receives_webhooks WHERE deleted = 0`,
      id,
      slug,
      revision,
      receives ? 1 : 0,
    );
    sql.exec("UPDATE book SET version = version + 1");
  }

  /** Those that have not the newest list. Rejects when one of them could not be told; telling it again changes nothing. */
  async #tellSources(): Promise<void> {
    const { sql } = this.ctx.storage;
    const list = this.#environments();
    const behind = sql
      .exec<{ service: string; name: string }>("SELECT service, name FROM sources WHERE told_version < ?", list.version)
      .toArray();
    const told = behind.map(async ({ service, name }) => {
      if (!(await this.env.WEBHOOK_SOURCE.getByName(name).setEnvironments(list))) return;
      sql.exec("UPDATE sources SET told_version = max(told_version, ?) WHERE service = ?", list.version, service);
    });
    await Promise.all(told);
  }

  #environments(): EnvironmentList {
    const { sql } = this.ctx.storage;
    const { version } = sql.exec<{ version: number }>("SELECT version FROM book").one();
    const environments = sql
      .exec<{ id: string; slug: string }>("SELECT id, slug FROM environments WHERE receives_webhooks = 1 ORDER BY id")
      .toArray();
    return { version, environments };
  }

  #sources(after = "", limit = -1): ListedSource[] {
    return this.ctx.storage.sql
      .exec<{ service: string; name: string }>(
        "SELECT service, name FROM sources WHERE service > ? ORDER BY service LIMIT ?",
        after,
        limit,
      )
      .toArray();
  }

  #isDeleted(): boolean {
    return this.ctx.storage.sql.exec<{ deleted: number }>("SELECT deleted FROM book").one().deleted === 1;
  }
}
