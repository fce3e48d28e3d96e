// POST /api/v1/events: one event, or an array of up to 500, each accepted or refused on its own.
//
// Promise 1: a 2xx for an event is sent only when the object has it on disk. The same id with the same content is
// answered as the first time; the header Idempotent-Replayed says so.
import type { ZodError } from "zod";
import {
  type AcceptedEvent,
  EventId,
  type EventOutcome,
  eventContent,
  type NewEvent,
  PostedEvent,
} from "../../shared/api/events.ts";
import { type FieldError, failure, formError, jsonText } from "../../shared/kernel/answers.ts";
import { canonicalJson, contentDigest } from "../../shared/kernel/canonical-json.ts";
import {
  BATCH_MAX_BYTES,
  BATCH_MAX_EVENTS,
  EVENT_BODY_MAX_BYTES,
  EVENT_MAX_BYTES,
  PREFER_WAIT_MAX_S,
} from "../../shared/kernel/limits.ts";
import type { Ingress } from "./call-environment.ts";
import { readJsonBody } from "./read-body.ts";

interface Refused {
  readonly status: number;
  readonly error: string;
  readonly fields?: readonly FieldError[];
}
type Prepared = { readonly event: NewEvent } | { readonly refused: Refused };

const TOO_LARGE: Refused = {
  status: 413,
  error: `The event is too large. Payload and context together may have ${EVENT_MAX_BYTES} bytes as JSON.`,
};

export async function postEvents({ request, url, call, refuse }: Ingress): Promise<Response> {
  const body = await readJsonBody(request, Math.max(EVENT_BODY_MAX_BYTES, BATCH_MAX_BYTES));
  if (!body.ok) {
    const tooLarge = body.failed === "too large";
    return refuse(
      "events:send",
      tooLarge
        ? failure(413, `The body is too large. It may have ${BATCH_MAX_BYTES} bytes.`)
        : failure(400, `The body is ${body.failed}. Send one event, or an array of events, as JSON.`),
    );
  }
  const header = request.headers.get("idempotency-key");
  const dryRun = ["1", "true"].includes(url.searchParams.get("dryRun") ?? "");
  if (!Array.isArray(body.value)) {
    const prepared = await prepare(body.value, header);
    if ("refused" in prepared) {
      const { status, error, fields } = prepared.refused;
      return refuse("events:send", failure(status, error, fields));
    }
    const { event } = prepared;
    if (dryRun) return explain(call, event);
    const wait = preferredWait(request.headers.get("prefer"));
    let waitFor: AcceptedEvent | null = null;
    const response = await call(
      "events:send",
      (environment, keyId) => environment.postEvents(keyId, [event]),
      ([outcome]) => {
        const { status, ...answer } = describeOutcome(outcome);
        if (outcome?.outcome === "accepted") waitFor = outcome.event;
        const repeated = outcome?.outcome === "accepted" && outcome.repeated;
        return Response.json(answer, { status, headers: repeated ? { "Idempotent-Replayed": "true" } : {} });
      },
    );
    return wait === null || waitFor === null ? response : answerWithEnds(call, waitFor, wait, response);
  }
  const unfit = unfitArray(body.value.length, header, dryRun);
  if (unfit !== null) return refuse("events:send", failure(422, unfit));
  const prepared = await Promise.all(body.value.map((posted) => prepare(posted, null)));
  const events = prepared.flatMap((p) => ("event" in p ? [p.event] : []));
  return call(
    "events:send",
    (environment, keyId) => environment.postEvents(keyId, events),
    (outcomes) => {
      const accepted = outcomes.values();
      return Response.json(prepared.map((p) => ("refused" in p ? p.refused : describeOutcome(accepted.next().value))));
    },
  );
}

/** Why an array cannot be taken as it is, or null. */
function unfitArray(length: number, header: string | null, dryRun: boolean): string | null {
  if (dryRun) return "dryRun explains a single event.";
  if (header !== null) return "Idempotency-Key goes with a single event. Give each event of an array its own id.";
  if (length > 0 && length <= BATCH_MAX_EVENTS) return null;
  return `An array holds 1 to ${BATCH_MAX_EVENTS} events; this one holds ${length}.`;
}

/** Which workflows would start, and which part of a filter stops the others of the event's name. */
function explain(call: Ingress["call"], event: NewEvent): Promise<Response> {
  return call(
    "events:send",
    (environment, keyId) => environment.explainEvent(keyId, event),
    (explanations) =>
      Response.json({
        dryRun: true,
        workflows: explanations.map(({ mismatch, ...rest }) => ({
          ...rest,
          ...(mismatch && { mismatch: { ...mismatch, expected: JSON.parse(mismatch.expected) as unknown } }),
        })),
      }),
  );
}

/** The outputs of the event's runs when all end in time; otherwise 202, and the runs as they are by then. */
function answerWithEnds(
  call: Ingress["call"],
  event: AcceptedEvent,
  seconds: number,
  accepted: Response,
): Promise<Response> {
  const ids = event.runs.map(({ id }) => id);
  return call(
    "events:send",
    (environment, keyId) => environment.waitForRuns(keyId, ids, seconds * 1000),
    ({ ended, outcomes }) => {
      const status = ended && event.deliverAt === undefined ? 200 : 202;
      const headers = new Headers({ "Preference-Applied": `wait=${seconds}` });
      const replayed = accepted.headers.get("Idempotent-Replayed");
      if (replayed !== null) headers.set("Idempotent-Replayed", replayed);
      const { runs: _, ...rest } = event;
      return jsonText(`${JSON.stringify(rest).slice(0, -1)},"runs":${outcomes}}`, { status, headers });
    },
  );
}

/** Seconds of `Prefer: wait=N`, 30 at most; null when it is not asked for. By RFC 7240 what is not understood is ignored. */
function preferredWait(header: string | null): number | null {
  const [, seconds] = /(?:^|,)\s*wait\s*=\s*"?(\d{1,6})"?\s*(?:$|[,;])/i.exec(header ?? "") ?? [];
  return seconds === undefined ? null : Math.min(PREFER_WAIT_MAX_S, Number(seconds));
}

async function prepare(posted: unknown, header: string | null): Promise<Prepared> {
  const parsed = PostedEvent.safeParse(posted);
  if (!parsed.success) return { refused: malformed(parsed.error) };
  const { event } = parsed.data;
  if (header !== null && !EventId.safeParse(header).success) {
    return { refused: { status: 422, error: "Idempotency-Key must have 1 to 256 characters." } };
  }
  if (header !== null && parsed.data.id !== undefined && parsed.data.id !== header) {
    return { refused: { status: 422, error: "id and Idempotency-Key differ. Send one of them, or the same in both." } };
  }
  const content = eventContent(event);
  if (content === null) return { refused: TOO_LARGE };
  const digest = await contentDigest(canonicalJson(event));
  return { event: { ...content, id: parsed.data.id ?? header, digest } };
}

function malformed(error: ZodError): Refused {
  return { status: 422, ...formError("event", error) };
}

function describeOutcome(outcome: EventOutcome | undefined): { status: number; [field: string]: unknown } {
  switch (outcome?.outcome) {
    case "accepted":
      return { status: 200, ...outcome.event };
    case "conflict":
      return { status: 409, error: "Another event with this id was accepted before. Use a new id for new content." };
    case "too large":
      return { ...TOO_LARGE };
    case "full":
      return {
        status: 507,
        error:
          "The environment's storage is nearly full: nothing new is taken until ended runs are forgotten. See that Postgres can be reached, or keep them for fewer days (retentionDays of the environment).",
      };
    default:
      return { status: 500, error: "The event was not accepted: something failed inside. Send it again." };
  }
}
