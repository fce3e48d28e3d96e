ALTER TABLE "environments" ADD COLUMN "retention_days" integer DEFAULT 7 NOT NULL;--> statement-breakpoint
ALTER TABLE "environments" ADD COLUMN "history_days" integer DEFAULT 90 NOT NULL;