// `npm start`: reads the options, installs what is missing, and runs the router on Node 24 until it ends.
import { resolve } from "node:path";
import { fail, installDependencies, ROOT, requireNode, runOnNode24 } from "./bootstrap.mjs";

const HELP = `Starts a router on this machine, with its own Postgres, and keeps it running.

  npm start -- [options]

  --port P         port on 127.0.0.1 (default 8787; 0 takes a free port)
  --data DIR       directory for database, objects, secrets and log (default .data)
  --movable-clock  let tests move the router's time: POST /local/clock
  --verbose        show every log line, not only warnings and errors; DIR/router.log has all
  --help           show this text

Once the router is ready, DIR/ready.json holds its address and keys. If DATABASE_URL is set, the router uses that
Postgres instead of its own. SIGINT (Ctrl-C) or SIGTERM ends the router and all its processes.
`;

requireNode();
const options = await readOptions(process.argv.slice(2));
if (options === null) console.log(HELP);
else {
  installDependencies();
  process.exitCode = await runOnNode24([
    "--disable-warning=ExperimentalWarning",
    `${ROOT}/scripts/local/main.ts`,
    ...options,
  ]);
}

/** All options, for the router; null if only help was asked for. Ends the process if they are invalid. */
async function readOptions(args) {
  const { parseArgs } = await import("node:util");
  try {
    const { values } = parseArgs({
      args,
      options: {
        port: { type: "string", default: "8787" },
        data: { type: "string", default: ".data" },
        "movable-clock": { type: "boolean", default: false },
        verbose: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) return null;
    if (!/^\d{1,5}$/.test(values.port) || Number(values.port) > 65_535) {
      throw new Error(`--port must be a whole number from 0 to 65535, not "${values.port}"`);
    }
    if (values.data === "") throw new Error("--data must name a directory");
    const flags = ["movable-clock", "verbose"].filter((name) => values[name]).map((name) => `--${name}`);
    return ["--port", values.port, "--data", resolve(values.data), ...flags];
  } catch (error) {
    return fail(`${error.message}\n\nnpm start -- --help shows the options.`, 2);
  }
}
