// Linear: hex HMAC-SHA256 of the body in `Linear-Signature`. The time of sending, in milliseconds, stands in the body as
// `webhookTimestamp`; it is judged once the body is proved. https://linear.app/developers/webhooks
import { parseBody } from "../body.ts";
import { bodyHmac } from "./hmac.ts";
import { type Judgement, judgeTime, type SignedRequest } from "./scheme.ts";

const signed = bodyHmac({ algorithm: "sha256", header: "linear-signature", prefix: "", encoding: "hex" });

export async function linear(request: SignedRequest, secrets: readonly string[], now: number): Promise<Judgement> {
  const unproved = await signed(request, secrets, now);
  if (unproved !== null) return unproved;
  const body = parseBody("application/json", request.rawBody);
  const time = typeof body === "object" && body !== null && "webhookTimestamp" in body ? body.webhookTimestamp : null;
  // A body without the time is Linear's own doing: nobody else can have taken it out.
  return typeof time === "number" ? judgeTime(time, now) : null;
}
