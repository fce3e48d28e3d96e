// The routers' Postgres in a process, one for the whole benchmark: each router creates an organization of its own in
// it. The process stands for Neon, which is in no router's figures.
import { join } from "node:path";
import { applyMigrations } from "../../scripts/local/migrate.ts";
import { startPostgres } from "../../scripts/local/postgres.ts";
import { startSqlOverHttp } from "../../scripts/local/sql-over-http.ts";

const connectionString = "postgresql://bench:bench@localhost/bench";
const postgres = await startPostgres(join(process.env.STORAGE ?? "", "postgres"));
await applyMigrations(postgres.pool);
let statements = 0;
postgres.pool.on("acquire", () => statements++);
const { url } = await startSqlOverHttp({ pool: postgres.pool, connectionString });
process.on("disconnect", () => process.exit());
// Every message asks for the number of statements that have reached Postgres.
process.on("message", () => process.send?.(statements));
process.send?.({ connectionString, url });
