-- The long memory: runs and events that have ended, by month of their ids, which are times. A month is a table of its own
-- (workers/archive/months.ts makes and drops them), so that forgetting one costs nothing. Ids count 4,096 a millisecond
-- from 2025 on, within an environment. What users sent is kept as JSON text: there is JSON that jsonb refuses.
CREATE TABLE history_events (
	environment_id text NOT NULL,
	id bigint NOT NULL,
	-- What is looked for; may be less exact than the summary, where Postgres cannot keep a text as it is.
	sender_id text,
	name text NOT NULL,
	kind text NOT NULL,
	summary text NOT NULL,
	-- Null when it is in the bucket, under its key.
	payload text,
	payload_key text,
	context text,
	PRIMARY KEY (environment_id, id)
) PARTITION BY RANGE (id);
--> statement-breakpoint
CREATE INDEX history_events_sender_id_index ON history_events (environment_id, sender_id) WHERE sender_id IS NOT NULL;
--> statement-breakpoint
CREATE TABLE history_runs (
	environment_id text NOT NULL,
	id bigint NOT NULL,
	event_id bigint NOT NULL,
	workflow text NOT NULL,
	status text NOT NULL,
	is_test boolean NOT NULL,
	-- From start to end; null for a run that never started.
	duration_ms bigint,
	summary text NOT NULL,
	output text,
	output_key text,
	PRIMARY KEY (environment_id, id)
) PARTITION BY RANGE (id);
--> statement-breakpoint
-- The steps of a run in order, in parts of some hundred kilobytes: each is a JSON array without its brackets.
CREATE TABLE history_steps (
	environment_id text NOT NULL,
	run_id bigint NOT NULL,
	part integer NOT NULL,
	steps integer NOT NULL,
	body text,
	body_key text,
	PRIMARY KEY (environment_id, run_id, part)
) PARTITION BY RANGE (run_id);
--> statement-breakpoint
-- Runs by the hour of their making, workflow and duration: bucket n holds those that took 1.1^n to 1.1^(n+1) milliseconds,
-- bucket -1 those that never started. Kept when the runs are gone.
CREATE TABLE history_hours (
	environment_id text NOT NULL,
	hour timestamp with time zone NOT NULL,
	workflow text NOT NULL,
	bucket integer NOT NULL,
	runs integer NOT NULL,
	failures integer NOT NULL,
	PRIMARY KEY (environment_id, hour, workflow, bucket)
);
