// Reads a JSON body up to a limit. A body that is announced or turns out to be larger is refused before it is read whole.

export type Body =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly failed: "too large" | "not JSON" | "not UTF-8" };

/** The parsed body, or why there is none. Never throws for what a client can send. */
export async function readJsonBody(request: Request, maxBytes: number): Promise<Body> {
  const bytes = await readBody(request, maxBytes);
  if (bytes === null) return { ok: false, failed: "too large" };
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    return { ok: false, failed: "not UTF-8" };
  }
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch {
    return { ok: false, failed: "not JSON" };
  }
}

/** Null for a body of more bytes. One that says its length has that length, and is read at once: it is much cheaper. */
async function readBody(request: Request, maxBytes: number): Promise<ArrayBuffer | Uint8Array | null> {
  const announced = request.headers.get("content-length");
  if (announced !== null && Number(announced) > maxBytes) return null;
  if (announced !== null && !request.headers.has("transfer-encoding")) return request.arrayBuffer();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    // Leaving the loop cancels the stream.
    if (size > maxBytes) return null;
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}
