// `npm run tick`: emits the due schedules of a local router now, like the Cron Trigger every minute.
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { fail } from "./bootstrap.mjs";

const HELP = `Emits the due schedules of a running local router, without waiting for the minute.

  npm run tick -- [options]

  --data DIR   data directory of the router (default .data)
  --help       show this text
`;

const { data, help } = readOptions();
if (help) console.log(HELP);
else await tick(resolve(data, "ready.json"));

function readOptions() {
  try {
    const options = {
      data: { type: "string", default: ".data" },
      help: { type: "boolean", short: "h", default: false },
    };
    return parseArgs({ options }).values;
  } catch (error) {
    return fail(`${error.message}\n\nnpm run tick -- --help shows the options.`, 2);
  }
}

async function tick(ready) {
  const { url } = await readFile(ready, "utf8").then(JSON.parse, () =>
    fail(`No router runs on ${join(ready, "..")}. Start one with npm start, or name its directory with --data DIR.`),
  );
  const query = new URLSearchParams({ cron: "* * * * *", time: String(Date.now()) });
  const answer = await fetch(`${url}/cdn-cgi/local/scheduled?${query}`).catch(() => null);
  if (!answer?.ok) fail(`The tick failed at the router ${url}. See its log: ${join(ready, "..", "router.log")}`);
  console.log("Ticked: all due schedules were emitted.");
}
