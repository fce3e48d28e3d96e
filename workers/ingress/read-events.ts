// GET /api/v1/events and /api/v1/events/:id.
import { failure, jsonText } from "../../shared/kernel/answers.ts";
import { PAGE_DEFAULT, PAGE_MAX } from "../../shared/kernel/limits.ts";
import { TRIGGER_KINDS } from "../../shared/wire/reference/triggers.ts";
import { eventsThroughHistory, eventThroughHistory } from "../reading/read-through.ts";
import type { Ingress } from "./call-environment.ts";
import { LIMIT_FORM, NO_SUCH_CURSOR, wholeNumber } from "./page-query.ts";

export function getEvent({ params, environmentId, call }: Ingress): Promise<Response> {
  const id = params.id ?? "";
  return call(
    "runs:read",
    (environment, keyId) => environment.getEvent(keyId, id),
    async (found) => {
      const event = await eventThroughHistory(environmentId, id, found);
      return event === null ? failure(404, "Event not found") : jsonText(event);
    },
  );
}

export async function listEvents({ url, environmentId, call, refuse }: Ingress): Promise<Response> {
  const limit = wholeNumber(url.searchParams.get("limit"), PAGE_DEFAULT, PAGE_MAX);
  if (limit === null) return refuse("runs:read", failure(422, LIMIT_FORM));
  const wanted = url.searchParams.get("kind");
  const kind = TRIGGER_KINDS.find((each) => each === wanted) ?? null;
  if (wanted !== null && kind === null) {
    return refuse("runs:read", failure(422, `kind must be one of ${TRIGGER_KINDS.join(", ")}.`));
  }
  const query = { limit, cursor: url.searchParams.get("cursor"), name: url.searchParams.get("name"), kind };
  return call(
    "runs:read",
    (environment, keyId) => environment.listEvents(keyId, query),
    async (slice) => {
      if (slice === "no such cursor") return failure(422, NO_SUCH_CURSOR);
      return Response.json(await eventsThroughHistory(environmentId, slice, query));
    },
  );
}
