// The SQLite schema of an environment, as append-only steps. Step n brings a database of version n to n + 1.
//
// Rows written are what an event costs, so: integer keys that sort by time, one secondary index entry for an event
// (its sender's id), one for a run only if it stays open (recent-runs.ts), and no row for what a live socket's attachment
// knows.

export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE settings (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    revision INTEGER NOT NULL,
    organization_id TEXT NOT NULL,
    organization_slug TEXT NOT NULL,
    environment_id TEXT NOT NULL,
    environment_slug TEXT NOT NULL
  );

  CREATE TABLE keys (
    id TEXT PRIMARY KEY,
    scopes TEXT NOT NULL,
    expires_at INTEGER
  ) WITHOUT ROWID;

  CREATE TABLE workflows (
    number INTEGER PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL,
    definition TEXT NOT NULL,
    previous TEXT,
    package TEXT NOT NULL,
    superseded TEXT NOT NULL DEFAULT '[]',
    registered_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    paused INTEGER NOT NULL DEFAULT 0,
    deregistered_at INTEGER
  );

  -- Which workflows a name may concern, so that an event's cost does not grow with those it does not. A name of ''
  -- stands for every name.
  CREATE TABLE workflow_events (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    workflow INTEGER NOT NULL,
    PRIMARY KEY (kind, name, workflow)
  ) WITHOUT ROWID;

  CREATE TABLE refused_registrations (
    slug TEXT PRIMARY KEY,
    message TEXT NOT NULL,
    key_id TEXT NOT NULL,
    at INTEGER NOT NULL
  ) WITHOUT ROWID;

  CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    sender_id TEXT,
    digest BLOB NOT NULL,
    name TEXT NOT NULL,
    payload TEXT NOT NULL,
    context TEXT,
    timestamp INTEGER NOT NULL,
    deliver_at INTEGER,
    waits_until INTEGER,
    runs TEXT NOT NULL
  );
  CREATE UNIQUE INDEX events_by_sender_id ON events (sender_id) WHERE sender_id IS NOT NULL;
  CREATE INDEX waiting_events ON events (waits_until) WHERE waits_until IS NOT NULL;

  CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    workflow INTEGER NOT NULL,
    event INTEGER NOT NULL,
    -- Attempts known to have started, counted when one is lost, sleeps, or has run for a while.
    attempts INTEGER NOT NULL DEFAULT 0,
    -- Attempts lost one after the other without a new result of a step.
    lost_in_a_row INTEGER NOT NULL DEFAULT 0,
    -- Not offered before this time, after a loss.
    resume_at INTEGER,
    expires_at INTEGER NOT NULL,
    is_test INTEGER NOT NULL DEFAULT 0,
    rerun_of INTEGER,
    started_at INTEGER,
    finished_at INTEGER,
    status TEXT,
    output TEXT,
    error TEXT
  );
  CREATE INDEX unfinished_runs ON runs (workflow) WHERE finished_at IS NULL;

  -- A step is named by run, kind and key; its first result is the one every later attempt gets. While the router owes
  -- the host an answer (a delay, a fetch), due_at says when to act next and host who waits for it.
  CREATE TABLE steps (
    run INTEGER NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    finished_at INTEGER,
    due_at INTEGER,
    host INTEGER,
    tries INTEGER NOT NULL DEFAULT 0,
    -- 1 while a call is under way; one that is found so at the object's start was cut off.
    calling INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    detail TEXT NOT NULL,
    sealed BLOB,
    result TEXT,
    PRIMARY KEY (run, kind, key)
  ) WITHOUT ROWID;
  CREATE INDEX owed_steps ON steps (due_at) WHERE due_at IS NOT NULL;

  CREATE TABLE items (
    namespace TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (namespace, key)
  ) WITHOUT ROWID;
  `,
  `
  -- Whether what reaches both environments reaches this one: the user's choice for further ones.
  ALTER TABLE settings ADD COLUMN receives_webhooks INTEGER NOT NULL DEFAULT 1;
  ALTER TABLE settings ADD COLUMN receives_schedules INTEGER NOT NULL DEFAULT 1;

  -- Apart from keys, which every push writes anew. Keeps revoked keys too: their last use is still asked for.
  CREATE TABLE key_uses (
    id TEXT PRIMARY KEY,
    used_at INTEGER NOT NULL
  ) WITHOUT ROWID;
  `,
  `
  -- What made the event, and for which service: by these its workflows are found, and people are told.
  ALTER TABLE events ADD COLUMN kind TEXT NOT NULL DEFAULT 'CUSTOM_EVENT';
  ALTER TABLE events ADD COLUMN service TEXT NOT NULL DEFAULT 'trigger';
  ALTER TABLE events ADD COLUMN is_test INTEGER NOT NULL DEFAULT 0;
  `,
  `
  -- Services whose webhook sources could not be announced yet. Empty while all goes well.
  CREATE TABLE owed_sources (
    service TEXT PRIMARY KEY,
    trigger TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    due_at INTEGER NOT NULL
  ) WITHOUT ROWID;
  `,
  `
  -- Schedules that workflows registered, and those of the organization, which have no workflow here.
  CREATE TABLE schedules (
    id TEXT PRIMARY KEY,
    workflow INTEGER,
    name TEXT,
    timing TEXT NOT NULL,
    event TEXT NOT NULL,
    payload TEXT,
    -- 0 while its workflow is not registered with it, or the organization has it switched off everywhere.
    live INTEGER NOT NULL,
    -- 0 while it is switched off in this environment.
    enabled INTEGER NOT NULL DEFAULT 1,
    -- Null while it is off. Few rows, asked once a minute at most: an index would cost more than it saves.
    next_at INTEGER,
    -- The latest of its times that was emitted.
    last_at INTEGER
  ) WITHOUT ROWID;

  -- One row while the schedule book has not confirmed when this environment has something due next.
  CREATE TABLE owed_wake (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    version INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    -- 0 until a call to the book has failed.
    due_at INTEGER NOT NULL
  );
  `,
  `
  ALTER TABLE settings ADD COLUMN retention_days INTEGER NOT NULL DEFAULT 7;
  ALTER TABLE settings ADD COLUMN history_days INTEGER NOT NULL DEFAULT 90;
  -- When the retention was last lowered, and from what: senders were told until when their events' ids are known.
  ALTER TABLE settings ADD COLUMN lowered_at INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE settings ADD COLUMN earlier_days INTEGER NOT NULL DEFAULT 0;

  -- How far the archive has come: events and runs up to these numbers are in Postgres, but for those that it passed, and
  -- below those numbers some are in Postgres only.
  CREATE TABLE history (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    events_until INTEGER NOT NULL DEFAULT 0,
    runs_until INTEGER NOT NULL DEFAULT 0,
    events_forgotten_below INTEGER NOT NULL DEFAULT 0,
    runs_forgotten_below INTEGER NOT NULL DEFAULT 0,
    looked_at INTEGER NOT NULL DEFAULT 0,
    archived_at INTEGER,
    -- Tries that failed one after the other, and when the next is made.
    attempts INTEGER NOT NULL DEFAULT 0,
    retry_at INTEGER
  );
  INSERT INTO history (one) VALUES (1);

  -- Had not ended when the archive came by. Few: it waits some minutes for a run.
  CREATE TABLE passed_runs (run INTEGER PRIMARY KEY);
  CREATE TABLE passed_events (event INTEGER PRIMARY KEY);
  -- Runs are gone, their steps are not: those that had too many to be forgotten at once.
  CREATE TABLE forgotten_runs (run INTEGER PRIMARY KEY);

  -- Runs that a person had made again: they keep an event that does not name them.
  CREATE TABLE reruns (
    event INTEGER NOT NULL,
    run INTEGER NOT NULL,
    PRIMARY KEY (event, run)
  ) WITHOUT ROWID;
  INSERT INTO reruns SELECT event, id FROM runs WHERE rerun_of IS NOT NULL;
  `,
  `
  -- Whether a run that has not ended stands in the index: recent-runs.ts.
  ALTER TABLE runs ADD COLUMN indexed INTEGER NOT NULL DEFAULT 1;
  DROP INDEX unfinished_runs;
  CREATE INDEX indexed_unfinished_runs ON runs (workflow) WHERE finished_at IS NULL AND indexed = 1;

  -- Up to this run, all that have not ended are in the index.
  CREATE TABLE indexed_runs (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    until INTEGER NOT NULL
  );
  INSERT INTO indexed_runs SELECT 1, coalesce(max(id), 0) FROM runs;

  CREATE VIEW unfinished_runs AS
    -- The plus: by the index, not through all runs that there ever were.
    SELECT * FROM runs WHERE finished_at IS NULL AND indexed = 1 AND +id <= (SELECT until FROM indexed_runs)
    UNION ALL
    SELECT * FROM runs WHERE finished_at IS NULL AND id > (SELECT until FROM indexed_runs);
  `,
];
