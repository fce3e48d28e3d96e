// `npm run tick`: has the router of a local start look at its schedules now, as the Cron Trigger does every minute.
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { fail } from "./bootstrap.mjs";

const HELP = `Has a running local router emit the schedules that are due, without waiting for the minute.

  npm run tick -- [options]

  --data DIR   the data directory of the router (default .data)
  --help       shows this
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
    fail(`No router runs on ${join(ready, "..")}: start one with npm start, or say where with --data.`),
  );
  const query = new URLSearchParams({ cron: "* * * * *", time: String(Date.now()) });
  const answer = await fetch(`${url}/cdn-cgi/local/scheduled?${query}`).catch(() => null);
  if (!answer?.ok)
    fail(`The router at ${url} did not take the tick. Its log says more: ${join(ready, "..", "router.log")}`);
  console.log("Ticked: what was due is emitted.");
}
