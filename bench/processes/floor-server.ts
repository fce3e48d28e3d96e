// A Worker and a Durable Object with nothing in them, in workerd with storage on disk.
import { once } from "node:events";
import { WebSocket } from "ws";
import { serve } from "./workerd.ts";

const SCRIPT = `
import { DurableObject } from "cloudflare:workers";
export class Floor extends DurableObject {
  #waiting = [];
  constructor(ctx, env) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY, payload TEXT NOT NULL)");
  }
  fetch() {
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    return new Response(null, { status: 101, webSocket: client });
  }
  add(payload) {
    return new Promise((resolve) => {
      this.#waiting.push([payload, resolve]);
      if (this.#waiting.length === 1) this.ctx.storage.sync().then(() => this.#commit());
    });
  }
  #commit() {
    const waiting = this.#waiting.splice(0);
    this.ctx.storage.transactionSync(() => {
      for (const [payload] of waiting) this.ctx.storage.sql.exec("INSERT INTO events (payload) VALUES (?)", payload);
    });
    const [socket] = this.ctx.getWebSockets();
    for (const [payload, resolve] of waiting) {
      resolve();
      socket?.send(payload);
    }
  }
}
export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === "/ws") return env.FLOOR.getByName("one").fetch(request);
    const body = await request.text();
    if (pathname === "/object") await env.FLOOR.getByName("one").add(body);
    return Response.json({ ok: true });
  },
};
`;

const workerd = await serve({
  directory: process.env.STORAGE ?? "",
  modules: [{ name: "index.js", text: SCRIPT }],
  compatibilityDate: "2026-09-15",
  compatibilityFlags: ["no_web_socket_compression"],
  objects: { FLOOR: "Floor" },
  bindings: {},
});
process.on("exit", () => void workerd.stop());
process.on("disconnect", () => process.exit());
process.on("SIGTERM", () => void workerd.stop().then(() => process.exit()));
// The receiver of the frames. Its work is no part of the floor.
await once(new WebSocket(`${workerd.url.replace("http", "ws")}/ws`), "open");
process.send?.({ url: workerd.url, pid: workerd.pid });
