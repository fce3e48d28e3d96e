// The load: events over HTTP on connections that stay open. What it can send is shown by the bare Worker's line of the
// table; a system whose figure is near that one is measured by its load.
import { Pool } from "undici";
import { monotonicMs } from "./measure.ts";

export interface Request {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** When each event was sent and acknowledged, by its number. Milliseconds on the monotonic clock. */
export interface Sent {
  readonly sentAt: Float64Array;
  readonly acknowledgedAt: Float64Array;
}

export class Load {
  readonly #pool: Pool;
  readonly #request: (n: number) => Request;
  readonly #connections: number;

  /** `request` makes the n-th event. */
  constructor(url: string, connections: number, request: (n: number) => Request) {
    this.#pool = new Pool(url, { connections, pipelining: 1 });
    this.#connections = connections;
    this.#request = request;
  }

  /** Sends `count` events, numbered from `first`, as fast as they are acknowledged. */
  async asFastAsPossible(first: number, count: number): Promise<Sent> {
    const sent = emptySent(count);
    let next = 0;
    const sender = async () => {
      for (let n = next++; n < count; n = next++) await this.#send(first, n, sent);
    };
    await Promise.all(Array.from({ length: this.#connections }, sender));
    return sent;
  }

  /** Sends `perSecond` events a second, evenly, whether the ones before were acknowledged or not. */
  async atRate(first: number, count: number, perSecond: number): Promise<Sent> {
    const sent = emptySent(count);
    const began = monotonicMs();
    const pending: Promise<void>[] = [];
    for (let n = 0; n < count; ) {
      const due = Math.min(count, Math.floor(((monotonicMs() - began) * perSecond) / 1000) + 1);
      for (; n < due; n++) pending.push(this.#send(first, n, sent));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await Promise.all(pending);
    return sent;
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  async #send(first: number, n: number, { sentAt, acknowledgedAt }: Sent): Promise<void> {
    const { path, headers, body } = this.#request(first + n);
    sentAt[n] = monotonicMs();
    const response = await this.#pool.request({ path, method: "POST", headers, body });
    const answer = await response.body.text();
    if (response.statusCode > 299)
      throw new Error(`${path} was answered ${response.statusCode}: ${answer.slice(0, 300)}`);
    acknowledgedAt[n] = monotonicMs();
  }
}

function emptySent(count: number): Sent {
  return { sentAt: new Float64Array(count), acknowledgedAt: new Float64Array(count) };
}
