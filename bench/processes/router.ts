// This router in a process: its Postgres, and the script that would be deployed on workerd with its storage on disk.
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { buildScript } from "../../scripts/local/build.ts";
import { applyMigrations } from "../../scripts/local/migrate.ts";
import { localOrganization } from "../../scripts/local/organization.ts";
import { startPostgres } from "../../scripts/local/postgres.ts";
import { startSqlOverHttp } from "../../scripts/local/sql-over-http.ts";
import { serve } from "./workerd.ts";

const directory = process.env.STORAGE ?? "";
const SETUP_TOKEN = randomBytes(24).toString("hex");
const DATABASE_URL = "postgresql://bench:bench@localhost/bench";

const [build, postgres] = await Promise.all([buildScript(), startPostgres(join(directory, "postgres"))]);
await applyMigrations(postgres.pool);
const endpoint = await startSqlOverHttp({ pool: postgres.pool, connectionString: DATABASE_URL });
const { compatibilityDate = "", compatibilityFlags = [], durableObjects = {} } = build.options;
const workerd = await serve({
  directory: join(directory, "workerd"),
  modules: build.modules
    .filter(({ type }) => type === "ESModule")
    .map(({ path, contents }) => ({
      name: path.split("/").at(-1) ?? "",
      text: Buffer.from(contents ?? "").toString(),
    })),
  compatibilityDate,
  compatibilityFlags,
  objects: Object.fromEntries(
    Object.entries(durableObjects).map(([binding, object]) => [
      binding,
      typeof object === "string" ? object : object.className,
    ]),
  ),
  bindings: {
    KEY_SECRETS: `1:${randomBytes(32).toString("base64")}`,
    SETUP_TOKEN,
    DATABASE_URL,
    DATABASE_ENDPOINT: endpoint.url,
    PRIVATE_TARGETS: "allowed",
    RATE_LIMITS: "off",
    LOG_LEVEL: "warn",
  },
  inspector: process.env.INSPECTOR,
});
process.on("exit", () => void workerd.stop());
process.on("disconnect", () => process.exit());
process.on("SIGTERM", async () => {
  await workerd.stop();
  await endpoint.close();
  await postgres.close();
  process.exit();
});
const { environments } = await localOrganization(workerd.url, SETUP_TOKEN);
process.send?.({ url: workerd.url, ws: `${workerd.url.replace("http", "ws")}/ws`, environments });
