// A prototype of another wire, put before the router's script: one frame holds many, a line each, and one
// acknowledgement answers them all. The router handles frames as deployed; only their transport differs.
import * as router from "./index.js";

const ACK = '{"type":"ACK"';

export * from "./index.js";
export class Environment extends router.Environment {
  #outgoing;

  constructor(ctx, env) {
    const outgoing = new Map();
    const accept = ctx.acceptWebSocket.bind(ctx);
    ctx.acceptWebSocket = (socket, ...rest) => {
      accept(socket, ...rest);
      const send = socket.send.bind(socket);
      let frames = [];
      const flush = () => {
        const all = frames;
        frames = [];
        send(all.join("\n"));
      };
      socket.send = (frame) => {
        if (frame.startsWith(ACK)) return;
        if (frames.length === 0) queueMicrotask(flush);
        frames.push(frame);
      };
      outgoing.set(socket, (id) => socket.send(`{"type":"BATCH_ACK","id":${id}}`));
    };
    super(ctx, env);
    this.#outgoing = outgoing;
  }

  async webSocketMessage(socket, batch) {
    const [head, ...frames] = batch.split("\n");
    if (frames.length === 0) return;
    await Promise.all(frames.map((frame) => super.webSocketMessage(socket, frame)));
    this.#outgoing.get(socket)?.(head);
  }
}

export default router.default;
