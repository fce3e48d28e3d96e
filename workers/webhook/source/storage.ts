// What a source's object stores: its settings in one row, and a row for each delivery of the last 7 days.
//
// Rows written are money, so: no row and no index for what is owed while all goes well. A delivery that was just stored
// is found again, should the object be lost, by its number being above `settled_through`; only one that has to wait for
// a retry enters the index. Held by tests/workerd/webhook-rows.test.ts.

import type { Handshake, Naming, Verification } from "../../../shared/api/source-settings.ts";
import type { SourceEnvironment } from "../../../shared/contracts/webhook-source.ts";
import { migrateStorage } from "../../platform/object-storage.ts";

const STEPS: readonly string[] = [
  `
  CREATE TABLE source (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    -- The name of this object.
    name TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    service TEXT NOT NULL,
    verification TEXT NOT NULL,
    naming TEXT NOT NULL,
    handshake TEXT NOT NULL,
    -- A list as JSON text, encrypted; null for none.
    secrets BLOB,
    environments TEXT NOT NULL,
    environments_version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    -- No delivery up to this number waits for its first try.
    settled_through INTEGER NOT NULL DEFAULT 0
  );

  CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY,
    -- Digest of the provider's id; null when there is none, and for what was kept apart.
    provider_id BLOB,
    digest BLOB NOT NULL,
    conflicts_with INTEGER,
    status TEXT NOT NULL,
    copies TEXT NOT NULL,
    -- When the next retry is due; null before the first try, and when nothing is owed.
    due_at INTEGER,
    name TEXT,
    headers TEXT NOT NULL,
    content_type TEXT,
    raw_body BLOB NOT NULL
  );
  CREATE UNIQUE INDEX deliveries_by_provider_id ON deliveries (provider_id) WHERE provider_id IS NOT NULL;
  CREATE INDEX due_deliveries ON deliveries (due_at) WHERE due_at IS NOT NULL;
  `,
];

export interface SourceRecord {
  readonly name: string;
  readonly organizationId: string;
  readonly service: string;
  readonly verification: Verification;
  readonly naming: Naming;
  readonly handshake: Handshake;
  readonly sealedSecrets: Uint8Array<ArrayBuffer> | null;
  readonly environments: readonly SourceEnvironment[];
  readonly environmentsVersion: number;
  readonly createdAt: number;
}

interface SourceRow extends Record<string, SqlStorageValue> {
  name: string;
  organization_id: string;
  service: string;
  verification: string;
  naming: string;
  handshake: string;
  secrets: ArrayBuffer | null;
  environments: string;
  environments_version: number;
  created_at: number;
}

export function migrate(storage: DurableObjectStorage): void {
  migrateStorage(storage, STEPS);
}

/** For an object that has storage. */
export function readSource(sql: SqlStorage): SourceRecord {
  const row = sql.exec<SourceRow>("SELECT * FROM source").one();
  return {
    name: row.name,
    organizationId: row.organization_id,
    service: row.service,
    verification: JSON.parse(row.verification) as Verification,
    naming: JSON.parse(row.naming) as Naming,
    handshake: row.handshake as Handshake,
    sealedSecrets: row.secrets === null ? null : new Uint8Array(row.secrets),
    environments: JSON.parse(row.environments) as SourceEnvironment[],
    environmentsVersion: row.environments_version,
    createdAt: row.created_at,
  };
}

export function writeSource(sql: SqlStorage, source: SourceRecord): void {
  const { environments, verification, naming } = source;
  sql.exec(
    `INSERT INTO source VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)
     ON CONFLICT DO UPDATE SET verification = excluded.verification, naming = excluded.naming,
       handshake = excluded.handshake, secrets = excluded.secrets, environments = excluded.environments,
       environments_version = excluded.environments_version`,
    source.name,
    source.organizationId,
    source.service,
    JSON.stringify(verification),
    JSON.stringify(naming),
    source.handshake,
    source.sealedSecrets,
    JSON.stringify(environments),
    source.environmentsVersion,
    source.createdAt,
  );
}
