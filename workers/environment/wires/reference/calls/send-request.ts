// SEND_REQUEST: the hosted integrations of the original, which this router does not have. The answer names `ctx.fetch`.
import { SendRequest } from "../../../../../shared/wire/reference/host-calls.ts";
import { sendAnswer } from "../../../runs/pending-answers.ts";
import { addFinishedStep, findStep } from "../../../runs/step-rows.ts";
import { runCall } from "./call.ts";

const KIND = "REQUEST";

export const sendRequest = runCall(SendRequest, ({ context, turn, host, held, data, now }) => {
  const service = data.request.service.slice(0, 64);
  const message = `this router does not host integrations such as ${service}: call the service's own API with ctx.fetch`;
  const result = JSON.stringify({ name: "UnsupportedRequest", message });
  if (!findStep(context, held.run, KIND, data.key)) {
    const detail = { service, endpoint: data.request.endpoint.slice(0, 256) };
    const step = { run: held.run, kind: KIND, key: data.key, attempt: held.attempt, now, detail } as const;
    addFinishedStep(context, { ...step, result, failed: true });
  }
  sendAnswer(context, turn, host, { run: held.run, kind: KIND, key: data.key, failed: 1, result });
  return true;
});
