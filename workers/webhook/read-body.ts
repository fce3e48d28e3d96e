// Reads the raw bytes of a delivery up to the limit. A body that is announced or turns out to be larger is refused before
// it is read whole. What is announced is never believed, and a length that turns out to be false refuses the delivery:
// someone on the way may have read another one.
import { WEBHOOK_BODY_MAX_BYTES } from "../../shared/kernel/limits.ts";

/** Never throws for what a sender can send; one that breaks off has sent a false length. */
export async function readRawBody(
  request: Request,
): Promise<{ ok: true; rawBody: Uint8Array<ArrayBuffer> } | { ok: false; failed: "too large" | "false length" }> {
  const announced = request.headers.get("content-length");
  if (announced !== null && Number(announced) > WEBHOOK_BODY_MAX_BYTES) return { ok: false, failed: "too large" };
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of request.body ?? []) {
      size += chunk.byteLength;
      // Leaving the loop cancels the stream.
      if (size > WEBHOOK_BODY_MAX_BYTES) return { ok: false, failed: "too large" };
      chunks.push(chunk);
    }
  } catch {
    return { ok: false, failed: "false length" };
  }
  if (announced !== null && announced !== String(size)) return { ok: false, failed: "false length" };
  const rawBody = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    rawBody.set(chunk, at);
    at += chunk.byteLength;
  }
  return { ok: true, rawBody };
}
