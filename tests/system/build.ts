// Builds the script and the dashboard once, before the tests that start routers do so side by side.
import { buildScript } from "../../scripts/local/build.ts";

export default async function setup(): Promise<void> {
  await buildScript();
}
