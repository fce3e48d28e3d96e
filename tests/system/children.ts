// Processes that a test starts. What they print is kept and can be waited for. All of them end with the test file, and
// also when the test's own process is killed: the channel to it closes, which they watch.
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** Node 24, whatever the tests themselves run on. */
export const NODE = `${ROOT}node_modules/node/bin/node`;

const OUTPUT_WITHIN_MS = 30_000;
const ENDS_WITHIN_MS = 20_000;

export interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ChildOptions {
  readonly cwd?: string;
  /** Added to the environment, which never has a TRIGGER_ variable of its own. */
  readonly env?: Readonly<Record<string, string>>;
}

const running = new Set<Child>();

export class Child {
  /** Everything printed so far, both streams as they came. */
  output = "";
  /** How it ended, once it has. */
  end: End | null = null;
  readonly pid: number;
  readonly #name: string;
  readonly #process: ChildProcess;
  #waiting: (() => void)[] = [];

  /** Runs a program on Node 24: `args` as Node takes them. */
  constructor(args: readonly string[], { cwd = ROOT, env = {} }: ChildOptions = {}) {
    this.#name = args.join(" ");
    this.#process = spawn(NODE, args, {
      cwd,
      env: { ...withoutTrigger(process.env), NO_COLOR: "1", ...env },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    this.pid = this.#process.pid ?? 0;
    running.add(this);
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.output += text;
        this.#wake();
      });
    }
    this.#process.on("close", (code, signal) => {
      this.end = { code, signal };
      running.delete(this);
      this.#wake();
    });
  }

  /** Waits until `pattern` was printed. Throws with the output when the process ends first or time is up. */
  async printed(pattern: RegExp, withinMs = OUTPUT_WITHIN_MS): Promise<void> {
    await this.#until(`print ${pattern}`, () => pattern.test(this.output), withinMs);
  }

  /** Waits for the process to end by itself. */
  async ended(withinMs = ENDS_WITHIN_MS): Promise<End> {
    await this.#until("end", () => this.end !== null, withinMs);
    return this.end ?? { code: null, signal: null };
  }

  /** Sends a signal and waits for the end. */
  async stop(signal: NodeJS.Signals): Promise<End> {
    if (this.end === null) this.#process.kill(signal);
    return this.ended();
  }

  async #until(what: string, done: () => boolean, withinMs: number): Promise<void> {
    const deadline = performance.now() + withinMs;
    while (!done()) {
      const left = deadline - performance.now();
      if (this.end !== null || left <= 0) {
        const why = this.end === null ? `within ${withinMs} ms` : `and ended with ${JSON.stringify(this.end)}`;
        throw new Error(`${this.#name} did not ${what} ${why}. It printed:\n${this.output}`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

/** Ends all that still runs, asking first. */
export async function endChildren(): Promise<void> {
  const left = [...running];
  await Promise.all(left.map((child) => child.stop("SIGTERM").catch(() => child.stop("SIGKILL"))));
}

function withoutTrigger(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("TRIGGER_")));
}
