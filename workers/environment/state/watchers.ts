// Pages that are open on an environment: sockets that are told that something has changed, and nothing else. They carry no
// data, so that one that outlives its session shows nothing; what has changed is asked for, with the rights of the moment.
//
// While nobody watches, this costs nothing: no row, no timer, no frame. A hint is sent at most every HINT_EVERY_MS, and a
// socket is closed after WATCHED_MS, so that its page has to show again that it may watch. Tests: tests/workerd/watch.test.ts.
import type { Time, TimerHandle } from "../../platform/time.ts";

/** Tells watchers' sockets from hosts', also after a hibernation. */
export const WATCHER = "watcher";
export const CHANGED = JSON.stringify({ type: "changed" });

const HINT_EVERY_MS = 250;
/** As long as a session is believed from its cookie. */
const WATCHED_MS = 300_000;
const WATCHERS_MAX = 200;

export class Watchers {
  readonly #ctx: DurableObjectState;
  readonly #sockets = new Set<WebSocket>();
  readonly #time: Time;
  #timer: TimerHandle | null = null;

  constructor(ctx: DurableObjectState, time: Time) {
    this.#ctx = ctx;
    this.#time = time;
    for (const socket of ctx.getWebSockets(WATCHER)) this.#sockets.add(socket);
  }

  has(socket: WebSocket): boolean {
    return this.#sockets.has(socket);
  }

  /** Accepts the upgrade of a page whose right to watch was checked. */
  accept(): Response {
    if (this.#sockets.size >= WATCHERS_MAX) return new Response(null, { status: 503 });
    const { 0: client, 1: server } = new WebSocketPair();
    this.#ctx.acceptWebSocket(server, [WATCHER]);
    server.serializeAttachment({ since: this.#time.clock.now() });
    this.#sockets.add(server);
    return new Response(null, { status: 101, webSocket: client });
  }

  remove(socket: WebSocket): void {
    this.#sockets.delete(socket);
  }

  /** Something has changed. Costs nothing while nobody watches. */
  hint(): void {
    if (this.#sockets.size === 0 || this.#timer !== null) return;
    this.#timer = this.#time.timers.after(HINT_EVERY_MS, () => {
      this.#timer = null;
      this.#send(this.#time.clock.now());
    });
  }

  #send(now: number): void {
    for (const socket of this.#sockets) {
      const { since } = socket.deserializeAttachment() as { since: number };
      if (now - since <= WATCHED_MS) {
        socket.send(CHANGED);
        continue;
      }
      this.#sockets.delete(socket);
      socket.close(4000, "show again that you may watch");
    }
  }
}
