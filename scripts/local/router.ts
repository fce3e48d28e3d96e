// Runs the built script in workerd, through Miniflare, with its objects' data on disk.
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import type { Build } from "./build.ts";
import { LOOPBACK } from "./listen.ts";
import { ROOT } from "./paths.ts";
import { endProcesses, findMarked } from "./processes.ts";
import type { RouterLog } from "./router-log.ts";

/** Marks the runtime's process with the data directory it works on. */
const MARK = "SWITCHYARD_DATA";
const PROGRAM = "workerd";

export interface RouterOptions {
  readonly build: Build;
  readonly port: number;
  /** The data directory, absolute: names the runtime's process. */
  readonly directory: string;
  /** Folder of the objects' SQLite files. */
  readonly storage: string;
  /** Settings and secrets of the script. */
  readonly bindings: Readonly<Record<string, string>>;
  readonly log: RouterLog;
  /** Answers the script's requests in place of the network: tests use it for the outside world. */
  readonly outside?: (request: Request) => Promise<Response>;
}

export interface Router {
  readonly url: string;
  /** Fires a cron trigger; `at` is the scheduled time in Unix milliseconds. Rejects if the handler failed. */
  tick(cron: string, at: number): Promise<void>;
  stop(): Promise<void>;
}

/** Resolves once the script accepts requests. Throws Miniflare's error, e.g. ERR_ADDRESS_IN_USE. */
export async function startRouter(given: RouterOptions): Promise<Router> {
  const { build, port, directory, storage, bindings, log, outside } = given;
  const { modulesRules: _, ...options } = build.options;
  const miniflare = startMiniflare(
    convertV4MiniflareOptions({
      host: LOOPBACK,
      port,
      // Otherwise Miniflare fetches a description of the caller's place from the internet.
      cf: false,
      telemetry: { enabled: false },
      logRequests: false,
      log: new RuntimeLog(log),
      handleStructuredLogs: ({ level, message, timestamp }) => log.write(level, message, timestamp),
      resourcePersistencePath: storage,
      unsafeTriggerHandlers: true,
      unsafeRuntimeEnv: { [MARK]: directory },
      workers: [
        {
          ...options,
          name: build.name,
          rootPath: ROOT,
          modules: build.modules,
          bindings: Object.assign({}, build.options.bindings, bindings),
          ...(outside && { outboundService: outside as never }),
        },
      ],
    }),
  );
  const url = (await miniflare.ready).origin;
  return {
    url,
    async tick(cron, at) {
      const query = new URLSearchParams({ cron, time: String(at) });
      const response = await fetch(`${url}/cdn-cgi/local/scheduled?${query}`);
      if (!response.ok) throw new Error(`the scheduled handler failed with ${response.status}`);
    },
    stop: () => miniflare.dispose(),
  };
}

/** Miniflare would end this process itself on a signal, before the other parts have ended. Here stop() ends it. */
function startMiniflare(options: ConstructorParameters<typeof Miniflare>[0]): Miniflare {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const ours = new Set(signals.flatMap((signal) => process.listeners(signal)));
  const miniflare = new Miniflare(options);
  for (const signal of signals) {
    for (const listener of process.listeners(signal)) if (!ours.has(listener)) process.off(signal, listener);
  }
  return miniflare;
}

/** Ends the runtime of an earlier start on this data whose process was killed: it still holds data and port. */
export async function endOrphanedRuntime(directory: string): Promise<void> {
  await endProcesses(await findMarked(PROGRAM, MARK, directory));
}

/** Miniflare's own messages: problems go to the log, the rest nowhere. */
class RuntimeLog extends Log {
  readonly #log: RouterLog;
  constructor(log: RouterLog) {
    super(LogLevel.WARN);
    this.#log = log;
  }
  override logWithLevel(level: LogLevel, message: string): void {
    if (level <= LogLevel.WARN) this.#log.write(level === LogLevel.WARN ? "warn" : "error", message, Date.now());
  }
  override error(error: Error): void {
    this.#log.write("error", `${error.name}: ${error.message}`, Date.now());
  }
}
