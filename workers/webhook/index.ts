// The webhook Worker: `/webhooks/:source`, the one URL that a provider posts to. It proves the id's tag first, so that a
// made-up URL is a 404 that wakes nothing; then it reads the body up to its limit and makes one call to the source.
import { Hono } from "hono";
import type { SourceAnswer } from "../../shared/contracts/webhook-source.ts";
import { verifySourceId } from "../../shared/ids/source-ids.ts";
import { failure, methodNotAllowed, nothingHere } from "../../shared/kernel/answers.ts";
import { WEBHOOK_BODY_MAX_BYTES } from "../../shared/kernel/limits.ts";
import { errorName, log } from "../../shared/kernel/log.ts";
import { type Env, keySecrets } from "../env.ts";
import { handshakeResponse } from "./handshakes.ts";
import { readRawBody } from "./read-body.ts";

export const webhooks = new Hono<{ Bindings: Env }>();

webhooks.all("/webhooks/:source", async (c) => {
  const name = await verifySourceId(await keySecrets(c.env), c.req.param("source"));
  if (name === null) return nothingHere();
  const { method, url } = c.req;
  if (method !== "POST" && method !== "GET") return methodNotAllowed("POST");
  const read = await readRawBody(c.req.raw);
  if (!read.ok) {
    return read.failed === "too large"
      ? failure(413, `The body is too large. It may have ${WEBHOOK_BODY_MAX_BYTES} bytes.`)
      : failure(400, "The body is not as long as Content-Length says. Send it again.");
  }
  const { rawBody } = read;
  try {
    return answerOf(
      await c.env.WEBHOOK_SOURCE.getByName(name).receive({ method, url, headers: [...c.req.raw.headers], rawBody }),
    );
  } catch (error) {
    log("error", "source call failed", { name: errorName(error) });
    return failure(503, "The delivery was not stored. Send it again.");
  }
});

/** A 2xx says that the delivery is on disk. Only a provider that may deliver is told its id. */
function answerOf(answer: SourceAnswer): Response {
  switch (answer.outcome) {
    case "accepted":
      return Response.json({ id: answer.id }, { headers: answer.repeated ? { "Idempotent-Replayed": "true" } : {} });
    case "kept apart":
      return Response.json({ id: answer.id, conflictsWith: answer.conflictsWith });
    case "refused":
      return failure(answer.status, answer.message);
    case "handshake":
      return handshakeResponse(answer.answer);
    case "wrong method":
      return methodNotAllowed("POST");
    case "no source":
      return nothingHere();
  }
}
