// The directory with all data of a local router: secrets and a database, so only this user may enter it.
import { randomUUID } from "node:crypto";
import { mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { errorText, StartError } from "./start-error.ts";

const OWNER_ONLY = 0o700;
const STORAGE = "storage";

/** The files and directories in it. */
export interface DataDirectory {
  readonly path: string;
  readonly lock: string;
  readonly secrets: string;
  readonly ready: string;
  readonly log: string;
  readonly postgres: string;
  readonly storage: string;
}

/** Creates the directory if it is missing. Throws a StartError if it cannot be written to. */
export async function openDataDirectory(path: string): Promise<DataDirectory> {
  try {
    await mkdir(path, { recursive: true, mode: OWNER_ONLY });
    if (!(await stat(path)).isDirectory()) throw new Error("it is a file");
    // Permissions alone do not tell: a disk can be full or mounted read-only.
    const probe = join(path, `.probe-${randomUUID()}`);
    await writeFile(probe, "");
    await rm(probe);
    // An existing directory may be open to others; the data in it is not.
    await mkdir(join(path, STORAGE), { recursive: true, mode: OWNER_ONLY });
  } catch (error) {
    throw new StartError(
      `The data directory ${path} cannot be written to (${errorText(error)}). Choose another one with --data DIR.`,
    );
  }
  const inside = (name: string) => join(path, name);
  return {
    path,
    lock: inside("lock"),
    secrets: inside("secrets.json"),
    ready: inside("ready.json"),
    log: inside("router.log"),
    postgres: inside("postgres"),
    storage: inside(STORAGE),
  };
}

/** Writes a file that only this user may read, whole or not at all. */
export async function writePrivateFile(path: string, value: unknown): Promise<void> {
  const unfinished = `${path}.${process.pid}`;
  await writeFile(unfinished, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  await rename(unfinished, path);
}
