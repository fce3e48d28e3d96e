// The frames in which the router speaks to a host over the reference client's wire.
import { decodeBase62Integer, encodeBase62Integer } from "../../../../shared/ids/base62.ts";
import { AUTHENTICATED, callMessage, messageFrame, responseMessage } from "../../../../shared/wire/reference/frames.ts";
import type { HeldRun, Host } from "../../state/host.ts";
import type { HostWire, RunOffer, RunScope, StepResult } from "../../state/host-wire.ts";
import type { StepKind } from "../../storage/rows.ts";

export const referenceWire: HostWire = { offer, result, probe };

/** The first frame of a connection. The client waits for it before it registers. */
export function greetingFrame(host: Pick<Host, "id">): string {
  return messageFrame(`a.${host.id}`, AUTHENTICATED);
}

/** The held run that an answer's id names, if the answer is to the offer of the current attempt. */
export function offeredRun(host: Host, answerId: string): HeldRun | undefined {
  const [kind, run, attempt] = answerId.split(".");
  if (kind !== "offer" || run === undefined) return undefined;
  const number = decodeBase62Integer(run, 9);
  const held = number === null ? undefined : host.held.get(number);
  return held && String(held.attempt) === attempt ? held : undefined;
}

/** TRIGGER_WORKFLOW. The stored payload and context are copied as text. The client's answer bears the same id. */
function offer({ run, attempt, runId, payload, context, isTest, origin, scope }: RunOffer): string {
  const id = `offer.${encodeBase62Integer(run, 9)}.${attempt}`;
  const meta = JSON.stringify({ ...metaOf(scope), isTest, appOrigin: origin, attempt });
  const trigger = `{"input":${payload},"context":${context ?? "{}"}}`;
  const data = `{"id":${JSON.stringify(runId)},"trigger":${trigger},"meta":${meta}}`;
  return messageFrame(id, callMessage(id, "TRIGGER_WORKFLOW", data));
}

const METHODS: Partial<Record<StepKind, readonly [resolve: string, reject: string]>> = {
  DURABLE_DELAY: ["RESOLVE_DELAY", ""],
  FETCH_REQUEST: ["RESOLVE_FETCH_REQUEST", "REJECT_FETCH_REQUEST"],
  RUN_ONCE: ["RESOLVE_RUN_ONCE", ""],
  KV_GET: ["RESOLVE_KV_GET", ""],
  KV_SET: ["RESOLVE_KV_SET", ""],
  KV_DELETE: ["RESOLVE_KV_DELETE", ""],
  REQUEST: ["RESOLVE_REQUEST", "REJECT_REQUEST"],
};

function result({ number, runId, kind, key, failed, result, scope }: StepResult): string {
  const [resolve = "", reject = ""] = METHODS[kind] ?? [];
  const value = result === null ? "" : `,${failed ? '"error"' : '"output"'}:${result}`;
  const meta = JSON.stringify({ ...metaOf(scope), runId });
  const data = `{"id":${JSON.stringify(`${runId}:${key}`)},"key":${JSON.stringify(key)}${value},"meta":${meta}}`;
  const id = `answer.${number}`;
  return messageFrame(id, callMessage(id, failed ? reject : resolve, data));
}

/** A RESPONSE to a call that the client never made. The client acknowledges it and does nothing else. */
function probe(number: number): string {
  const id = `probe.${number}`;
  return messageFrame(id, responseMessage(id, "", true));
}

/** The part of `meta` that every call of the router has, under the client's names. */
function metaOf({ environment, workflow, organizationId, apiKey }: RunScope): Readonly<Record<string, string>> {
  return { environment, workflowId: workflow, organizationId, apiKey };
}
