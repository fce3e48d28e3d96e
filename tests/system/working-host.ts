// A host of one workflow that speaks the reference client's protocol in a test's own process: what it does with a run, the
// test says.
import { WebSocket } from "ws";

export interface RunCalls {
  log(message: string, properties?: string): void;
  /** `output` is JSON text, sent as it is. */
  complete(output?: string): void;
  fail(error: object): void;
}

export interface WorkingHost {
  close(): Promise<void>;
}

interface Options {
  readonly url: string;
  readonly key: string;
  readonly workflow: string;
  readonly event: string;
  readonly timeToLiveSeconds?: number;
  readonly run: (payload: unknown, calls: RunCalls) => void;
}

/** Answers when the workflow is registered. */
export async function startWorkingHost({
  url,
  key,
  workflow,
  event,
  timeToLiveSeconds,
  run,
}: Options): Promise<WorkingHost> {
  const socket = new WebSocket(`${url.replace("http", "ws")}/ws`, { headers: { authorization: `Bearer ${key}` } });
  let count = 0;
  const send = (kind: "CALL" | "RESPONSE", id: string, methodName: string, data: unknown) => {
    count += 1;
    const frame = { type: "MESSAGE", id: `f${count}`, data: JSON.stringify({ id, kind, methodName, data }) };
    socket.send(JSON.stringify(frame));
  };
  const call = (methodName: string, data: object) => send("CALL", `c${count}`, methodName, data);
  await new Promise<void>((resolve, reject) => {
    socket.on("error", reject);
    socket.on("message", (frame) => {
      const message = JSON.parse(String(frame)) as { type: string; id: string; data: string };
      if (message.type !== "MESSAGE") return;
      socket.send(JSON.stringify({ type: "ACK", id: message.id }));
      if (message.data === "AUTHENTICATED") {
        call("INITIALIZE_HOST_V2", {
          workflowId: workflow,
          workflowName: workflow,
          trigger: { type: "CUSTOM_EVENT", service: "trigger", name: event, filter: { event: [event] } },
          packageName: "@trigger.dev/sdk",
          packageVersion: "0.2.22",
          ...(timeToLiveSeconds !== undefined && { triggerTTL: timeToLiveSeconds }),
        });
        return;
      }
      const said = JSON.parse(message.data) as { id: string; kind: string; methodName: string; data: never };
      if (said.methodName === "INITIALIZE_HOST_V2") return resolve();
      if (said.methodName !== "TRIGGER_WORKFLOW") return;
      const { id: runId, trigger } = said.data as { id: string; trigger: { input: unknown } };
      call("START_WORKFLOW_RUN", { runId, timestamp: "1" });
      send("RESPONSE", said.id, said.methodName, true);
      run(trigger.input, {
        log: (text, properties) =>
          call("SEND_LOG", {
            runId,
            key: text,
            log: { message: text, level: "INFO", ...(properties !== undefined && { properties }) },
            timestamp: "2",
          }),
        complete: (output) =>
          call("COMPLETE_WORKFLOW_RUN", { runId, ...(output !== undefined && { output }), timestamp: "3" }),
        fail: (error) => call("SEND_WORKFLOW_ERROR", { runId, error, timestamp: "3" }),
      });
    });
  });
  return {
    close: () =>
      new Promise((resolve) => {
        if (socket.readyState === WebSocket.CLOSED) return resolve();
        socket.once("close", () => resolve()).close();
      }),
  };
}
