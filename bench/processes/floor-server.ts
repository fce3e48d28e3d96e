// A Worker and a Durable Object with nothing in them, in workerd with storage on disk.
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";

const SCRIPT = `
import { DurableObject } from "cloudflare:workers";
export class Floor extends DurableObject {
  #waiting = [];
  constructor(ctx, env) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY, payload TEXT NOT NULL)");
  }
  add(payload) {
    return new Promise((resolve) => {
      this.#waiting.push([payload, resolve]);
      if (this.#waiting.length === 1) setTimeout(() => this.#commit(), 1);
    });
  }
  #commit() {
    const waiting = this.#waiting.splice(0);
    this.ctx.storage.transactionSync(() => {
      for (const [payload] of waiting) this.ctx.storage.sql.exec("INSERT INTO events (payload) VALUES (?)", payload);
    });
    for (const [, resolve] of waiting) resolve();
  }
}
export default {
  async fetch(request, env) {
    const body = await request.text();
    if (new URL(request.url).pathname === "/object") await env.FLOOR.get(env.FLOOR.idFromName("one")).add(body);
    return Response.json({ ok: true });
  },
};
`;

const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    host: "127.0.0.1",
    port: 0,
    cf: false,
    telemetry: { enabled: false },
    logRequests: false,
    log: new Log(LogLevel.ERROR),
    resourcePersistencePath: process.env.STORAGE ?? "",
    workers: [
      {
        name: "floor",
        modules: [{ type: "ESModule", path: "index.mjs", contents: SCRIPT }],
        compatibilityDate: "2026-09-15",
        durableObjects: { FLOOR: { className: "Floor", useSQLite: true } },
      },
    ],
  }),
);
process.on("disconnect", () => process.exit());
process.on("SIGTERM", () => void miniflare.dispose().then(() => process.exit()));
process.send?.((await miniflare.ready).origin);
