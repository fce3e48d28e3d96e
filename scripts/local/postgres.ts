// The local Postgres: PGlite, Postgres's own engine in this process, with its data in a directory. Survives the death
// of the process at any moment: the next start replays committed data from the log. Its socket lies in a directory that
// only this user can enter, so no other user of the machine can reach the database.
import { cpSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rename, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";
import pg from "pg";
import { CACHE, ROOT } from "./paths.ts";

export interface LocalPostgres {
  readonly pool: pg.Pool;
  /** Ends the connections, and the engine if it was started here. */
  close(): Promise<void>;
}

/** Names the socket file; the engine has no port. */
const SOCKET_PORT = 5432;
/** Enough for the Workers of one machine against a real Postgres. */
const CONNECTIONS_MAX = 8;
const CONNECTED_WITHIN_MS = 10_000;

/** Starts the engine on `directory`, and creates that if it is missing. Only one process at a time may do so. */
export async function startPostgres(directory: string): Promise<LocalPostgres> {
  if (!(await exists(directory))) await createData(directory);
  const engine = await PGlite.create(directory);
  const socketDirectory = await mkdtemp(join(tmpdir(), "switchyard-"));
  const server = new PGLiteSocketServer({ db: engine, path: join(socketDirectory, `.s.PGSQL.${SOCKET_PORT}`) });
  await server.start();
  // The engine runs one query at a time, and its transactions belong to one connection.
  const place = { host: socketDirectory, port: SOCKET_PORT, user: "postgres", database: "postgres" };
  const pool = makePool({ ...place, max: 1, idleTimeoutMillis: 0 });
  return {
    pool,
    async close() {
      await pool.end();
      await server.stop();
      await engine.close();
      await rm(socketDirectory, { recursive: true, force: true });
    },
  };
}

/** A pool for a running Postgres. Connects with the first query. */
export function connectPostgres(connectionString: string): LocalPostgres {
  const pool = makePool({ connectionString, max: CONNECTIONS_MAX });
  return { pool, close: () => pool.end() };
}

function makePool(config: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool({ connectionTimeoutMillis: CONNECTED_WITHIN_MS, ...config });
  // The next query replaces a connection that broke while idle, and reports any error.
  pool.on("error", () => {});
  // The same for one that breaks between two queries of a transaction, when nobody waits for it.
  pool.on("connect", (client) => client.on("error", () => {}));
  return pool;
}

/** Initializing a database takes seconds, copying an empty one a moment: a template is made once per version. */
async function createData(directory: string): Promise<void> {
  const { version } = JSON.parse(await readFile(`${ROOT}node_modules/@electric-sql/pglite/package.json`, "utf8"));
  const template = `${CACHE}postgres-${version}`;
  if (!(await exists(template))) {
    const fresh = `${template}.${process.pid}`;
    await mkdir(CACHE, { recursive: true });
    await rm(fresh, { recursive: true, force: true });
    await (await PGlite.create(fresh)).close();
    await moveInto(fresh, template);
  }
  const copy = `${directory}.${process.pid}`;
  await rm(copy, { recursive: true, force: true });
  // A thousand files: copying them in native code is ten times as fast as with promises.
  cpSync(template, copy, { recursive: true });
  // The engine's files are open to everyone; the directory around them is not.
  await chmod(copy, 0o700);
  await moveInto(copy, directory);
}

/**
 * Moves a finished directory to its name at once, so that nobody sees half of it. If another came first, that one
 * serves as well.
 */
async function moveInto(finished: string, name: string): Promise<void> {
  try {
    await rename(finished, name);
  } catch (error) {
    await rm(finished, { recursive: true, force: true });
    if (!(await exists(name))) throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
