// One HTTP connection that stays open, for the load: it writes a request and waits for its answer. To take little of
// the processors it shares with the measured system, the connection reads only the status and the length of an answer.
// The supported answers are those of our systems: a Content-Length, or chunks.
import { once } from "node:events";
import { connect, type Socket } from "node:net";

export interface Answer {
  readonly status: number;
  readonly text: string;
}

export class Connection {
  readonly #socket: Socket;
  readonly #host: string;
  #received = "";
  #closed = false;
  #waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | null = null;

  private constructor(socket: Socket, host: string) {
    this.#socket = socket;
    this.#host = host;
    socket.setNoDelay(true);
    socket.setEncoding("latin1");
    socket.on("data", (chunk: string) => this.#receive(chunk));
    socket.on("error", (error) => this.#close(error));
    socket.on("end", () => this.#close(new Error("the connection was closed")));
    socket.on("close", () => this.#close(new Error("the connection was closed")));
  }

  static async open(url: string): Promise<Connection> {
    const { hostname, port, host } = new URL(url);
    const socket = connect(Number(port), hostname);
    await once(socket, "connect");
    return new Connection(socket, host);
  }

  /** A server closes a connection that was idle for some seconds. */
  get closed(): boolean {
    return this.#closed;
  }

  /** One request at a time. */
  post(path: string, headers: Readonly<Record<string, string>>, body: string): Promise<Answer> {
    let head = `POST ${path} HTTP/1.1\r\nhost: ${this.#host}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`;
    for (const name in headers) head += `${name}: ${headers[name]}\r\n`;
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(`${head}\r\n${body}`);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #close(error: Error): void {
    this.#closed = true;
    this.#socket.destroy();
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.reject(error);
  }

  #receive(chunk: string): void {
    const received = this.#received === "" ? chunk : this.#received + chunk;
    const headEnds = received.indexOf("\r\n\r\n");
    const text = headEnds < 0 ? null : bodyOf(received, headEnds);
    if (text === null) {
      this.#received = received;
      return;
    }
    this.#received = "";
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.resolve({ status: Number(received.slice(9, 12)), text });
  }
}

/** The body, as received; null while it is incomplete. */
function bodyOf(received: string, headEnds: number): string | null {
  const head = received.slice(0, headEnds).toLowerCase();
  const body = received.slice(headEnds + 4);
  const [, length] = /\r\ncontent-length: *(\d+)/.exec(head) ?? [];
  if (length !== undefined) return body.length >= Number(length) ? body : null;
  if (head.includes("\r\ntransfer-encoding:")) return body.endsWith("0\r\n\r\n") ? body : null;
  return body;
}
