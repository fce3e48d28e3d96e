// The host of the prototype in scripts/batched.js: one frame answers all of a received frame.
import { WebSocket } from "ws";
import { completed, handling, ready } from "./host.ts";

const { ROUTER_WS = "", ROUTER_KEY = "", EVENT = "bench.event" } = process.env;
const socket = new WebSocket(ROUTER_WS, {
  headers: { authorization: `Bearer ${ROUTER_KEY}` },
  perMessageDeflate: false,
});
const numbers = new Map<string, number>();
let frames = 0;
let batches = 0;
let outgoing: string[] = [];
const message = (data: object) =>
  outgoing.push(JSON.stringify({ type: "MESSAGE", id: `f${++frames}`, data: JSON.stringify(data) }));
const call = (methodName: string, id: string, data: object) => message({ id, kind: "CALL", methodName, data });

socket.on("error", (error) => {
  console.error(error.message);
  process.exit(1);
});
socket.on("message", (bytes) => {
  for (const line of String(bytes).split("\n")) take(JSON.parse(line));
  if (outgoing.length === 0) return;
  socket.send(`${++batches}\n${outgoing.join("\n")}`);
  outgoing = [];
});

function take(frame: { type: string; data: string }): void {
  if (frame.type !== "MESSAGE") return;
  if (frame.data === "AUTHENTICATED") {
    const trigger = { type: "CUSTOM_EVENT", service: "trigger", name: EVENT, filter: { event: [EVENT], payload: {} } };
    const about = { packageName: "@trigger.dev/sdk", packageVersion: "0.2.22", apiKey: ROUTER_KEY };
    call("INITIALIZE_HOST_V2", "register", { workflowId: EVENT, workflowName: EVENT, trigger, ...about });
    return;
  }
  const { id, kind, methodName, data } = JSON.parse(frame.data);
  if (kind === "RESPONSE") {
    if (id === "register") ready();
    const n = methodName === "COMPLETE_WORKFLOW_RUN" && data === true ? numbers.get(id) : undefined;
    numbers.delete(id);
    if (n !== undefined) completed(n);
    return;
  }
  if (methodName !== "TRIGGER_WORKFLOW") return;
  handling(data.trigger.input.n);
  numbers.set(`end ${data.id}`, data.trigger.input.n);
  call("START_WORKFLOW_RUN", `start ${data.id}`, { runId: data.id, timestamp: "1" });
  message({ id, kind: "RESPONSE", methodName, data: true });
  call("COMPLETE_WORKFLOW_RUN", `end ${data.id}`, { runId: data.id, output: "1", timestamp: "1" });
}
