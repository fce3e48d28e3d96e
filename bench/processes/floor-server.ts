// A Worker and a Durable Object with nothing in them, in workerd with storage on disk.
import { serve } from "./workerd.ts";

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
      if (this.#waiting.length === 1) this.ctx.storage.sync().then(() => this.#commit());
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

const workerd = await serve({
  directory: process.env.STORAGE ?? "",
  modules: [{ name: "index.js", text: SCRIPT }],
  compatibilityDate: "2026-09-15",
  compatibilityFlags: [],
  objects: { FLOOR: "Floor" },
  bindings: {},
});
process.on("exit", () => void workerd.stop());
process.on("disconnect", () => process.exit());
process.on("SIGTERM", () => void workerd.stop().then(() => process.exit()));
process.send?.(workerd.url);
