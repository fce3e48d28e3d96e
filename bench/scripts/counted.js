// Counts the billed operations, put before the router's script: calls to objects, frames of sockets, rows. The object's
// own code is the deployed one; every call passes through here. `GET /bench/counts` returns the counts and resets them.
import * as router from "./index.js";

const empty = () => ({
  requests: 0,
  objectRequests: 0,
  framesIn: 0,
  framesOut: 0,
  alarms: 0,
  rowsWritten: 0,
  rowsRead: 0,
});
let counts = empty();
let cursors = [];

function counted(Base) {
  class Counted extends Base {
    constructor(ctx, env) {
      const { sql } = ctx.storage;
      const exec = sql.exec.bind(sql);
      sql.exec = (...args) => {
        const cursor = exec(...args);
        cursors.push(cursor);
        return cursor;
      };
      const setAlarm = ctx.storage.setAlarm.bind(ctx.storage);
      ctx.storage.setAlarm = (...args) => {
        // Setting an alarm is billed as a row.
        counts.rowsWritten++;
        return setAlarm(...args);
      };
      const accept = ctx.acceptWebSocket.bind(ctx);
      ctx.acceptWebSocket = (socket, ...rest) => {
        accept(socket, ...rest);
        const send = socket.send.bind(socket);
        socket.send = (frame) => {
          counts.framesOut++;
          send(frame);
        };
      };
      super(ctx, env);
    }
  }
  const other = {
    webSocketMessage: "framesIn",
    alarm: "alarms",
    webSocketClose: "framesIn",
    webSocketError: "framesIn",
  };
  for (const name of Object.getOwnPropertyNames(Base.prototype)) {
    const method = Base.prototype[name];
    if (name === "constructor" || typeof method !== "function") continue;
    Counted.prototype[name] = function (...args) {
      counts[other[name] ?? "objectRequests"]++;
      return method.apply(this, args);
    };
  }
  return Counted;
}

export * from "./index.js";
export const Environment = counted(router.Environment);
export const Repairs = counted(router.Repairs);
export const WebhookSource = counted(router.WebhookSource);
export const SourceBook = counted(router.SourceBook);
export const ScheduleBook = counted(router.ScheduleBook);

export default {
  ...router.default,
  fetch(request, env, ctx) {
    if (new URL(request.url).pathname !== "/bench/counts") {
      counts.requests++;
      return router.default.fetch(request, env, ctx);
    }
    const answer = counts;
    for (const cursor of cursors) {
      answer.rowsWritten += cursor.rowsWritten;
      answer.rowsRead += cursor.rowsRead;
    }
    counts = empty();
    cursors = [];
    return Response.json(answer);
  },
};
