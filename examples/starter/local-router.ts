// Loaded before each program of this example. Uses the router on this machine unless TRIGGER_API_KEY names another:
// with the development key, or with `--live` the live key. A program of your own needs none of this, only the three
// variables.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const live = process.argv.includes("--live");
const { TRIGGER_API_KEY, TRIGGER_API_URL, TRIGGER_WSS_URL } = process.env;

if (live || !TRIGGER_API_KEY) useLocalRouter(live ? "live" : "development");
else if (!TRIGGER_API_URL || !TRIGGER_WSS_URL) {
  fail("TRIGGER_API_KEY is set. Set TRIGGER_API_URL and TRIGGER_WSS_URL too, or the client sends the key elsewhere.");
}

function useLocalRouter(environment: "live" | "development"): void {
  const path = process.env.SWITCHYARD_READY ?? fileURLToPath(new URL("../../.data/ready.json", import.meta.url));
  const { url, ws, environments } = readReady(path);
  process.env.TRIGGER_API_KEY = environments[environment].key;
  process.env.TRIGGER_API_URL = url;
  process.env.TRIGGER_WSS_URL = ws;
  console.log(`Using the ${environment} key of the local router at ${url}.`);
}

interface Ready {
  url: string;
  ws: string;
  environments: Record<"live" | "development", { key: string }>;
}

function readReady(path: string): Ready {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Ready;
  } catch {
    return fail(
      `No router runs on this machine: ${path} does not exist.\n` +
        "Start one with `npm start` in the root of the repository, or set TRIGGER_API_KEY, TRIGGER_API_URL and TRIGGER_WSS_URL.",
    );
  }
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
