// Reads the raw bytes of a delivery up to the limit. A body that is announced or turns out to be larger is refused before
// it is read whole; what is announced is never believed.
import { WEBHOOK_BODY_MAX_BYTES } from "../../shared/limits.ts";

/** Null for a body that is too large. Rejects when the sender breaks off. */
export async function readRawBody(request: Request): Promise<Uint8Array<ArrayBuffer> | null> {
  const announced = request.headers.get("content-length");
  if (announced !== null && Number(announced) > WEBHOOK_BODY_MAX_BYTES) return null;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    // Leaving the loop cancels the stream.
    if (size > WEBHOOK_BODY_MAX_BYTES) return null;
    chunks.push(chunk);
  }
  const body = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.byteLength;
  }
  return body;
}
