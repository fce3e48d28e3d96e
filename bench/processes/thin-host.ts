// Hosts that speak the reference client's whole protocol and do nothing else: six frames in and six out per run. HOSTS
// sets their number, 1 by default, all of one workflow; with SPREAD, each of its own workflow. WORKFLOWS other
// workflows are registered before, over a socket that stays open and gets no run.
import { once } from "node:events";
import { WebSocket } from "ws";
import { completed, handling, ready } from "./host.ts";

const { ROUTER_WS = "", ROUTER_KEY = "", EVENT = "bench.event", HOSTS = "1", SPREAD, WORKFLOWS = "0" } = process.env;
/** Concurrent registrations, or connections. */
const AT_ONCE = 50;
const numbers = new Map<string, number>();
const registered = new Map<string, () => void>();
let frames = 0;

function message(socket: WebSocket, data: object): void {
  socket.send(JSON.stringify({ type: "MESSAGE", id: `f${++frames}`, data: JSON.stringify(data) }));
}

function call(socket: WebSocket, methodName: string, id: string, data: object): void {
  message(socket, { id, kind: "CALL", methodName, data });
}

async function open(): Promise<WebSocket> {
  const socket = new WebSocket(ROUTER_WS, {
    headers: { authorization: `Bearer ${ROUTER_KEY}` },
    perMessageDeflate: false,
  });
  socket.on("error", (error) => {
    console.error(error.message);
    process.exit(1);
  });
  const authenticated = new Promise<void>((resolve) => {
    socket.on("message", (bytes) => {
      const frame = JSON.parse(String(bytes));
      if (frame.type !== "MESSAGE") return;
      socket.send(JSON.stringify({ type: "ACK", id: frame.id }));
      if (frame.data === "AUTHENTICATED") resolve();
      else take(socket, JSON.parse(frame.data));
    });
  });
  await once(socket, "open");
  await authenticated;
  return socket;
}

function register(socket: WebSocket, workflow: string): Promise<void> {
  const trigger = {
    type: "CUSTOM_EVENT",
    service: "trigger",
    name: workflow,
    filter: { event: [workflow], payload: {} },
  };
  const about = { packageName: "@trigger.dev/sdk", packageVersion: "0.2.22", apiKey: ROUTER_KEY };
  const id = `register ${++frames}`;
  call(socket, "INITIALIZE_HOST_V2", id, { workflowId: workflow, workflowName: workflow, trigger, ...about });
  return new Promise((resolve) => registered.set(id, resolve));
}

type Data = { id: string; runId?: string; trigger: { input: { n: number } } };
type Message = { id: string; kind: string; methodName: string; data: Data | boolean };

function take(socket: WebSocket, { id, kind, methodName, data }: Message): void {
  if (kind === "RESPONSE") {
    registered.get(id)?.();
    registered.delete(id);
    const n = numbers.get(id);
    numbers.delete(id);
    if (n !== undefined && data === true) completed(n);
    return;
  }
  if (methodName !== "TRIGGER_WORKFLOW" || typeof data === "boolean") return;
  const { n } = data.trigger.input;
  handling(n);
  numbers.set(`end ${data.id}`, n);
  call(socket, "START_WORKFLOW_RUN", `start ${data.id}`, { runId: data.id, timestamp: "1" });
  message(socket, { id, kind: "RESPONSE", methodName, data: true });
  call(socket, "COMPLETE_WORKFLOW_RUN", `end ${data.id}`, { runId: data.id, output: "1", timestamp: "1" });
}

/** Calls `work` `count` times, several at once. */
async function times(count: number, work: (i: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < count; i = next++) await work(i);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

if (Number(WORKFLOWS) > 0) {
  const socket = await open();
  await times(Number(WORKFLOWS), (i) => register(socket, `${EVENT}.other.${i}`));
}
await register(await open(), EVENT);
await times(Number(HOSTS) - 1, async (i) => register(await open(), SPREAD ? `${EVENT}.host.${i}` : EVENT));
ready();
