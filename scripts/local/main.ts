// Starts a whole router on this machine and keeps it running: Postgres, the script in workerd, the cron. All its data
// is in one directory: a second start on it has the same keys and runs. The end of this process ends all its parts.
import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { relative } from "node:path";
import { type Build, buildScript } from "./build.ts";
import { EVERY_MINUTE, everyMinute } from "./cron.ts";
import { type DataDirectory, openDataDirectory, writePrivateFile } from "./data-directory.ts";
import { freePort } from "./listen.ts";
import { takeLock } from "./lock.ts";
import { applyMigrations } from "./migrate.ts";
import { readOptions, type StartOptions } from "./options.ts";
import { localOrganization } from "./organization.ts";
import { localOwner, signInLink } from "./owner.ts";
import { connectPostgres, type LocalPostgres, startPostgres } from "./postgres.ts";
import { describeReady, welcome } from "./ready.ts";
import { endOrphanedRuntime, type Router, startRouter } from "./router.ts";
import { openRouterLog, type RouterLog } from "./router-log.ts";
import { localSecrets } from "./secrets.ts";
import { type SqlEndpoint, startSqlOverHttp } from "./sql-over-http.ts";
import { errorCode, errorText, StartError } from "./start-error.ts";
import { Stoppers } from "./stoppers.ts";

const stoppers = new Stoppers();
stoppers.onSignals();
try {
  await start(readOptions(process.argv.slice(2)));
} catch (error) {
  if (!stoppers.stopping) {
    console.error(`\n${error instanceof StartError ? error.message : error instanceof Error ? error.stack : error}`);
    await stoppers.exit(1);
  }
}

async function start(options: StartOptions): Promise<void> {
  const data = await openDataDirectory(options.directory);
  stoppers.add(await takeLock(data.lock));
  await rm(data.ready, { force: true });
  await endOrphanedRuntime(data.path);
  const port = await checkedPort(options.port);
  console.log("Starting Postgres and the router …");
  const log = openRouterLog(data.log, console.log, options.verbose);

  const [build, database, { console: keptConsole, ...secrets }] = await Promise.all([
    buildScript(),
    startDatabase(data),
    localSecrets(data.secrets),
  ]);
  const router = await startRouter({
    build,
    port,
    directory: data.path,
    storage: data.storage,
    bindings: {
      ...secrets,
      ...database,
      // During development, the targets of ctx.fetch are on this machine too.
      PRIVATE_TARGETS: "allowed",
      // A load test comes from one address, with one key.
      RATE_LIMITS: "off",
      ...(options.movableClock ? { CLOCK: "movable" } : {}),
    },
    log,
  }).catch((error: unknown) => {
    throw errorCode(error) === "ERR_ADDRESS_IN_USE" ? portInUse(port) : error;
  });
  stoppers.add(() => router.stop());

  const organization = await localOrganization(router.url, secrets.SETUP_TOKEN);
  const { fresh, ...owner } = await localOwner(
    { url: router.url, organization: organization.slug, setupToken: secrets.SETUP_TOKEN },
    keptConsole,
  );
  if (owner.token !== keptConsole?.token) await writePrivateFile(data.secrets, { ...secrets, console: owner });
  const ready = describeReady(router.url, organization, owner);
  startCron(build, router, log);
  await writePrivateFile(data.ready, ready);
  stoppers.add(() => rm(data.ready, { force: true }));
  const dashboard = (await signInLink(router.url, owner)) ?? router.url;
  const told = { log: relative(process.cwd(), data.log), showPassword: fresh, dashboard };
  console.log(welcome(ready, told, performance.now() / 1000));
}

/** Starts Postgres, or connects to the one of DATABASE_URL, and returns the script's settings to reach it. */
async function startDatabase(data: DataDirectory): Promise<{ DATABASE_URL: string; DATABASE_ENDPOINT: string }> {
  const given = process.env.DATABASE_URL;
  const postgres = given ? connectPostgres(given) : await startEmbedded(data);
  stoppers.add(() => postgres.close());
  await applyMigrations(postgres.pool).catch((error: unknown) => {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    throw new StartError(`The migrations could not be applied${given ? " to DATABASE_URL" : ""}: ${errorText(cause)}`);
  });
  // These credentials open this endpoint only; the real ones stay here.
  const DATABASE_URL = `postgresql://switchyard:${randomBytes(24).toString("hex")}@localhost/switchyard`;
  const endpoint: SqlEndpoint = await startSqlOverHttp({ pool: postgres.pool, connectionString: DATABASE_URL });
  stoppers.add(() => endpoint.close());
  return { DATABASE_URL, DATABASE_ENDPOINT: endpoint.url };
}

async function startEmbedded(data: DataDirectory): Promise<LocalPostgres> {
  try {
    return await startPostgres(data.postgres);
  } catch (error) {
    throw new StartError(
      `The database in ${data.postgres} cannot be opened (${errorText(error)}). Restore it, or choose another --data DIR.`,
    );
  }
}

function startCron(build: Build, router: Router, log: RouterLog): void {
  for (const cron of build.crons.filter((each) => each !== EVERY_MINUTE)) {
    log.write("warn", `the cron trigger "${cron}" fires on a deployed router only`, Date.now());
  }
  if (!build.crons.includes(EVERY_MINUTE)) return;
  const tick = (minute: number) =>
    router.tick(EVERY_MINUTE, minute).catch((error: unknown) => log.write("error", errorText(error), Date.now()));
  const stopTicking = everyMinute(tick);
  stoppers.add(async () => stopTicking());
}

async function checkedPort(port: number): Promise<number> {
  try {
    return await freePort(port);
  } catch (error) {
    if (errorCode(error) === "EADDRINUSE") throw portInUse(port);
    throw new StartError(`Port ${port} cannot be used (${errorText(error)}). Choose another one with --port P.`);
  }
}

function portInUse(port: number): StartError {
  return new StartError(`Port ${port} is in use by another program. Choose another one with --port P.`);
}
