// workerd by itself, with its own configuration: no development server and no proxy between the load and the script.
// Storage is on disk.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { freePort, LOOPBACK } from "../../scripts/local/listen.ts";

export interface Served {
  /** Folder of the configuration and the objects' files. */
  readonly directory: string;
  /** The script first. */
  readonly modules: readonly { readonly name: string; readonly text: string }[];
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
  /** Names of the classes by their bindings. */
  readonly objects: Readonly<Record<string, string>>;
  readonly bindings: Readonly<Record<string, string>>;
  /** Address of the inspector, e.g. to take a profile. */
  readonly inspector?: string | undefined;
}

export interface Serving {
  readonly url: string;
  readonly pid: number | undefined;
  stop(): Promise<void>;
}

/** Starts workerd and returns its address once it accepts connections. */
export async function serve(served: Served): Promise<Serving> {
  const { directory, inspector } = served;
  const port = await freePort(0);
  await mkdir(join(directory, "objects"), { recursive: true });
  for (const { name, text } of served.modules) {
    await mkdir(dirname(join(directory, name)), { recursive: true });
    await writeFile(join(directory, name), text);
  }
  const file = join(directory, "config.capnp");
  await writeFile(file, configuration(served, port));
  const args = ["serve", "--experimental", file, ...(inspector === undefined ? [] : ["--inspector-addr", inspector])];
  const child = spawn(binary(), args, { stdio: ["ignore", "ignore", "pipe"] });
  // On every start, workerd says that one of our flags has become the default.
  child.stderr.on("data", (text: Buffer) => {
    const said = text.toString().trim();
    if (said !== "" && !said.includes("does not need to be specified anymore")) process.stderr.write(text);
  });
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`workerd ended with ${code}`);
  });
  ended.catch(() => {});
  await Promise.race([listening(port), ended]);
  return {
    url: `http://${LOOPBACK}:${port}`,
    pid: child.pid,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, "exit");
      child.kill("SIGKILL");
      await exit;
    },
  };
}

function configuration(served: Served, port: number): string {
  const { directory, modules, compatibilityDate, compatibilityFlags, objects, bindings } = served;
  const text = JSON.stringify;
  const namespaces = Object.entries(objects).map(([binding, name]) => ({
    binding: `(name = ${text(binding)}, durableObjectNamespace = ${text(name)})`,
    namespace: `(className = ${text(name)}, uniqueKey = ${text(`bench-${name}`)}, enableSql = true)`,
  }));
  const settings = Object.entries(bindings).map(([name, value]) => `(name = ${text(name)}, text = ${text(value)})`);
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "objects", disk = (path = ${text(join(directory, "objects"))}, writable = true)),
    (name = "internet", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", address = "${LOOPBACK}:${port}", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [${modules.map(({ name }) => `(name = ${text(name)}, esModule = embed ${text(name)})`).join(", ")}],
  compatibilityDate = ${text(compatibilityDate)},
  compatibilityFlags = [${compatibilityFlags.map((flag) => text(flag)).join(", ")}],
  bindings = [${[...namespaces.map(({ binding }) => binding), ...settings].join(", ")}],
  durableObjectNamespaces = [${namespaces.map(({ namespace }) => namespace).join(", ")}],
  durableObjectStorage = (localDisk = "objects"),
);
`;
}

/** The binary itself: the package's own command is a Node process around it. */
function binary(): string {
  const require = createRequire(createRequire(import.meta.url).resolve("miniflare"));
  const platform = `${process.platform}-${process.arch === "x64" ? "64" : process.arch}`;
  return createRequire(require.resolve("workerd")).resolve(`@cloudflare/workerd-${platform}/bin/workerd`);
}

async function listening(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, LOOPBACK);
    const connected = await Promise.race([
      once(socket, "connect").then(() => true),
      once(socket, "error").then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (connected) return;
    await wait(2);
  }
}
