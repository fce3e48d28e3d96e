// A host in a few lines: registers one workflow, and starts and completes every run it is offered. For tests that are
// not about the protocol; those use the reference client.
import { WebSocket } from "ws";

export interface ThinHost {
  /** Runs completed so far. */
  readonly completed: ReadonlySet<string>;
  /** Resolves when the router has closed the connection. */
  readonly closed: Promise<{ code: number; reason: string }>;
  end(): void;
}

interface Message {
  readonly id: string;
  readonly kind: "CALL" | "RESPONSE";
  readonly methodName: string;
  readonly data: { readonly id?: string; readonly type?: string };
}

/** Connects, and answers when the workflow listens for `event`. Rejects when the router closes before. */
export function startThinHost(
  url: string,
  key: string,
  event: string,
  trigger: object = eventTrigger(event),
): Promise<ThinHost> {
  const socket = new WebSocket(`${url.replace(/^http/, "ws")}/ws`, { headers: { authorization: `Bearer ${key}` } });
  const completed = new Set<string>();
  let frames = 0;
  const send = (data: object) =>
    socket.send(JSON.stringify({ type: "MESSAGE", id: `f${++frames}`, data: JSON.stringify(data) }));
  const call = (methodName: string, id: string, data: object) => send({ id, kind: "CALL", methodName, data });

  return new Promise((resolve, reject) => {
    const closed = new Promise<{ code: number; reason: string }>((close) => {
      socket.on("close", (code, reason) => {
        close({ code, reason: String(reason) });
        reject(new Error(`closed with ${code}: ${reason}`));
      });
    });
    socket.on("error", reject);
    socket.on("message", (bytes) => {
      const frame = JSON.parse(String(bytes)) as { type: string; id: string; data: string };
      if (frame.type !== "MESSAGE") return;
      socket.send(JSON.stringify({ type: "ACK", id: frame.id }));
      if (frame.data === "AUTHENTICATED") {
        const packageInfo = { packageName: "@trigger.dev/sdk", packageVersion: "0.2.22" };
        call("INITIALIZE_HOST_V2", "register", { workflowId: event, workflowName: event, trigger, ...packageInfo });
        return;
      }
      const { id, kind, methodName, data } = JSON.parse(frame.data) as Message;
      if (kind === "RESPONSE" && id === "register") {
        resolve({ completed, closed, end: () => socket.close() });
        return;
      }
      if (methodName !== "TRIGGER_WORKFLOW" || data.id === undefined) return;
      send({ id, kind: "RESPONSE", methodName, data: true });
      call("START_WORKFLOW_RUN", `start ${data.id}`, { runId: data.id, timestamp: "1" });
      call("COMPLETE_WORKFLOW_RUN", `end ${data.id}`, { runId: data.id, output: "1", timestamp: "1" });
      completed.add(data.id);
    });
  });
}

function eventTrigger(name: string): object {
  return { type: "CUSTOM_EVENT", service: "trigger", name, filter: { event: [name], payload: {} } };
}
