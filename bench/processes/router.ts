// This router in a process: the deployed script, on workerd, with its storage on disk. SCRIPT names a script of
// ../scripts to put before it. The storage holds STORED past events before the first new one.
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { OrganizationAnswer } from "../../shared/api/setup.ts";
import { deployedScript } from "./script.ts";
import { seed } from "./seed.ts";
import { serve } from "./workerd.ts";

const { STORAGE: directory = "", SCRIPT, STORED = "0", INSPECTOR: inspector } = process.env;
const SETUP_TOKEN = randomBytes(24).toString("hex");
const script = await deployedScript();
const before = SCRIPT
  ? [{ name: SCRIPT, text: await readFile(new URL(`../scripts/${SCRIPT}`, import.meta.url), "utf8") }]
  : [];
const served = {
  ...script,
  modules: [...before, ...script.modules],
  directory: join(directory, "workerd"),
  bindings: {
    KEY_SECRETS: `1:${randomBytes(32).toString("base64")}`,
    SETUP_TOKEN,
    DATABASE_URL: process.env.DATABASE_URL ?? "",
    DATABASE_ENDPOINT: process.env.DATABASE_ENDPOINT ?? "",
    PRIVATE_TARGETS: "allowed",
    RATE_LIMITS: "off",
    LOG_LEVEL: "warn",
  },
  inspector,
};
let workerd = await serve(served);
process.on("exit", () => void workerd.stop());
process.on("disconnect", () => process.exit());
process.on("SIGTERM", () => void workerd.stop().then(() => process.exit()));
const { environments } = await makeOrganization();
if (Number(STORED) > 0) {
  await workerd.stop();
  await seed(join(served.directory, "objects"), environments.development?.id ?? "", Number(STORED));
  workerd = await serve(served);
}
const { url, pid } = workerd;
process.send?.({ url, pid, ws: `${url.replace("http", "ws")}/ws`, environments });

async function makeOrganization(): Promise<OrganizationAnswer> {
  const response = await fetch(`${workerd.url}/api/v1/organizations`, {
    method: "POST",
    headers: { authorization: `Bearer ${SETUP_TOKEN}`, "content-type": "application/json" },
    body: JSON.stringify({ name: "Bench", slug: `bench-${randomBytes(6).toString("hex")}` }),
  });
  if (!response.ok) throw new Error(`no organization: ${response.status} ${await response.text()}`);
  return OrganizationAnswer.parse(await response.json());
}
