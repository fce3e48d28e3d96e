// One router on a data directory at a time. A router that wants the lock writes a claim, a file with its process id and
// identity, and looks for another claim of a living process. If there is one, the router removes its own. So two
// routers never hold the lock, and the claim of a dead process, however it ended, counts for nothing.
import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { writePrivateFile } from "./data-directory.ts";
import { processIdentity } from "./processes.ts";
import { StartError } from "./start-error.ts";

const Claim = z.object({ pid: z.number().int().positive(), identity: z.string() });

/** Time for a router that is ending to leave, so that a restart need not wait for it. */
const ENDS_WITHIN_MS = 2_000;
const LOOK_AGAIN_MS = 50;

/** Takes the lock and returns a function that releases it. Throws a StartError that names the process with the lock. */
export async function takeLock(directory: string, waitMs = ENDS_WITHIN_MS): Promise<() => Promise<void>> {
  await mkdir(directory, { recursive: true });
  const name = `${randomUUID()}.json`;
  const mine = join(directory, name);
  const claim = { pid: process.pid, identity: (await processIdentity(process.pid)) ?? "" };
  const until = performance.now() + waitMs;
  for (;;) {
    await writePrivateFile(mine, claim);
    const other = await otherClaim(directory, name);
    if (other === null) return () => rm(mine, { force: true });
    await rm(mine, { force: true });
    if (performance.now() > until) throw taken(other);
    // Two that come at once both step back; the random wait lets one of them return first.
    await delay(LOOK_AGAIN_MS * (0.5 + Math.random()));
  }
}

/** The id of a living process with a claim, besides the one named `mine`; removes claims of the dead. */
async function otherClaim(directory: string, mine: string): Promise<number | null> {
  for (const name of await readdir(directory)) {
    if (name === mine || !name.endsWith(".json")) continue;
    const path = join(directory, name);
    const claim = parseClaim(await readFile(path, "utf8").catch(() => ""));
    if (claim !== null && (await processIdentity(claim.pid)) === claim.identity) return claim.pid;
    await rm(path, { force: true });
  }
  return null;
}

function parseClaim(text: string): z.infer<typeof Claim> | null {
  try {
    return Claim.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

function taken(pid: number): StartError {
  return new StartError(
    `A router is running on this data already (process ${pid}). Stop it first, or choose another --data DIR.`,
  );
}
