// Slack: `X-Slack-Signature: v0=<hex>`, HMAC-SHA256 over `v0:<X-Slack-Request-Timestamp>:<body>` under the app's signing
// secret. https://docs.slack.dev/authentication/verifying-requests-from-slack
import { decode } from "./encodings.ts";
import { judgeSignatures, signedContent, utf8 } from "./hmac.ts";
import { type Judgement, judgeTimestamp, malformed, requiredHeader, type SignedRequest } from "./scheme.ts";

const SIGNATURE = "x-slack-signature";
const TIMESTAMP = "x-slack-request-timestamp";

export async function slack(
  { headers, rawBody }: SignedRequest,
  secrets: readonly string[],
  now: number,
): Promise<Judgement> {
  const signature = requiredHeader(headers, SIGNATURE);
  if ("refusal" in signature) return signature.refusal;
  const timestamp = requiredHeader(headers, TIMESTAMP);
  if ("refusal" in timestamp) return timestamp.refusal;
  const bytes = signature.value.startsWith("v0=") ? decode(signature.value.slice(3), "hex", 32) : null;
  if (bytes === null) return malformed(SIGNATURE);
  const untimely = judgeTimestamp(timestamp.value, TIMESTAMP, now);
  if (untimely !== null) return untimely;
  return judgeSignatures("sha256", secrets.map(utf8), [bytes], signedContent(`v0:${timestamp.value}:`, rawBody));
}
