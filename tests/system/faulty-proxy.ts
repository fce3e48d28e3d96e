// Stands between the script and Postgres's endpoint, and loses what a test wants lost: a request before it arrives, or the
// answer after Postgres has committed.
import { createServer } from "node:http";
import { listen } from "../../scripts/local/listen.ts";

export type Fault = "none" | "request lost" | "answer lost";

export async function startFaultyProxy(
  target: string,
  faults: (request: string) => Fault,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer(async (request, response) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk as Uint8Array);
    const body = Buffer.concat(chunks);
    const fault = faults(body.toString());
    if (fault === "request lost") return void response.destroy();
    const { host: _, connection: _1, ...headers } = request.headers;
    try {
      const answer = await fetch(target, {
        method: request.method ?? "POST",
        headers: headers as Record<string, string>,
        body,
      });
      const text = await answer.text();
      if (fault === "answer lost") return void response.destroy();
      response.writeHead(answer.status, { "content-type": "application/json" }).end(text);
    } catch {
      response.destroy();
    }
  });
  const port = await listen(server, 0);
  return {
    url: `http://127.0.0.1:${port}/sql`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
