// The secrets of a local router, made at its first start and stored with its data: the keys derived from them stay
// valid.
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { writePrivateFile } from "./data-directory.ts";
import { errorCode, StartError } from "./start-error.ts";

/** The local owner's credentials; stored from the end of the first start. */
const ConsoleSecrets = z.object({ email: z.string(), password: z.string(), token: z.string() });
export type ConsoleSecrets = z.infer<typeof ConsoleSecrets>;

const Secrets = z.object({ KEY_SECRETS: z.string(), SETUP_TOKEN: z.string(), console: ConsoleSecrets.optional() });
export type Secrets = z.infer<typeof Secrets>;

/** Reads the file, or creates it. Never replaces an unreadable one: every key would change. */
export async function localSecrets(path: string): Promise<Secrets> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    if (errorCode(error) === "ENOENT") return null;
    throw error;
  });
  if (text === null) {
    const made = {
      KEY_SECRETS: `1:${randomBytes(32).toString("base64")}`,
      SETUP_TOKEN: randomBytes(32).toString("base64url"),
    };
    await writePrivateFile(path, made);
    return made;
  }
  const kept = Secrets.safeParse(parseJson(text));
  if (!kept.success) {
    throw new StartError(
      `${path} does not hold KEY_SECRETS and SETUP_TOKEN. Restore the file: new secrets would change every key.`,
    );
  }
  return kept.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
