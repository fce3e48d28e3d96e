// Reads a JSON body up to a limit. A body that is announced or turns out to be larger is refused before it is read whole.

export type Body =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly failed: "too large" | "not JSON" | "not UTF-8" };

/** The parsed body, or why there is none. Never throws for what a client can send. */
export async function readJsonBody(request: Request, maxBytes: number): Promise<Body> {
  const announced = request.headers.get("content-length");
  if (announced !== null && Number(announced) > maxBytes) return { ok: false, failed: "too large" };
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    // Leaving the loop cancels the stream.
    if (size > maxBytes) return { ok: false, failed: "too large" };
    chunks.push(chunk);
  }
  let text = "";
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
    for (const chunk of chunks) text += decoder.decode(chunk, { stream: true });
    text += decoder.decode();
  } catch {
    return { ok: false, failed: "not UTF-8" };
  }
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch {
    return { ok: false, failed: "not JSON" };
  }
}
