// The load: events over HTTP on connections that stay open. Two figures show that the load is not the bottleneck: the
// bare Worker's line of the table, its maximum rate, and its share of one processor while it sent.
import { Connection } from "./connection.ts";
import { monotonicMs } from "./measure.ts";

export interface Request {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The times at which each event was sent and acknowledged, by its number. Milliseconds on the monotonic clock. */
export interface Sent {
  readonly sentAt: Float64Array;
  readonly acknowledgedAt: Float64Array;
  /** Processors that the load itself took on average; 1 is its maximum. */
  readonly processors: number;
}

export class Load {
  readonly #url: string;
  readonly #request: (n: number) => Request;
  readonly #connections: number;
  readonly #open: Connection[] = [];
  readonly #free: Connection[] = [];

  /** `request` makes the n-th event. */
  constructor(url: string, connections: number, request: (n: number) => Request) {
    this.#url = url;
    this.#connections = connections;
    this.#request = request;
  }

  /** Sends `count` events, numbered from `first`, each as soon as an earlier one is acknowledged. */
  async asFastAsPossible(first: number, count: number): Promise<Sent> {
    while (this.#free.length < this.#connections) this.#free.push(await this.#connect());
    return measured(count, async (times) => {
      let next = 0;
      const sender = async () => {
        for (let n = next++; n < count; n = next++) await this.#send(first, n, times);
      };
      await Promise.all(Array.from({ length: this.#connections }, sender));
    });
  }

  /** Sends `perSecond` events a second, evenly, whether the ones before were acknowledged or not. */
  atRate(first: number, count: number, perSecond: number): Promise<Sent> {
    return measured(count, async (times) => {
      const began = monotonicMs();
      const pending: Promise<void>[] = [];
      for (let n = 0; n < count; ) {
        const due = Math.min(count, Math.floor(((monotonicMs() - began) * perSecond) / 1000) + 1);
        for (; n < due; n++) pending.push(this.#send(first, n, times));
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      await Promise.all(pending);
    });
  }

  close(): void {
    for (const connection of this.#open) connection.close();
  }

  /** Retries once if the server closed the idle connection meanwhile: an event has its id. */
  async #post(path: string, headers: Request["headers"], body: string) {
    for (;;) {
      let kept = this.#free.pop();
      while (kept?.closed) kept = this.#free.pop();
      const connection = kept ?? (await this.#connect());
      try {
        return { connection, answer: await connection.post(path, headers, body) };
      } catch (error) {
        if (kept === undefined) throw error;
      }
    }
  }

  async #connect(): Promise<Connection> {
    const connection = await Connection.open(this.#url);
    this.#open.push(connection);
    return connection;
  }

  async #send(first: number, n: number, { sentAt, acknowledgedAt }: Pick<Sent, "sentAt" | "acknowledgedAt">) {
    const { path, headers, body } = this.#request(first + n);
    sentAt[n] = monotonicMs();
    const { connection, answer } = await this.#post(path, headers, body);
    const { status, text } = answer;
    acknowledgedAt[n] = monotonicMs();
    this.#free.push(connection);
    if (status > 299) throw new Error(`${path} was answered ${status}: ${text.slice(0, 300)}`);
  }
}

async function measured(
  count: number,
  send: (times: Pick<Sent, "sentAt" | "acknowledgedAt">) => Promise<void>,
): Promise<Sent> {
  const times = { sentAt: new Float64Array(count), acknowledgedAt: new Float64Array(count) };
  const before = process.cpuUsage();
  const began = monotonicMs();
  await send(times);
  const { user, system } = process.cpuUsage(before);
  return { ...times, processors: (user + system) / 1000 / (monotonicMs() - began) };
}
