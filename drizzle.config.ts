// For `npm run db:generate`, which writes the next migration by comparing the schema with the last one. Needs no database.
import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "postgresql",
  schema: "./shared/db/schema.ts",
  out: "./migrations",
});
