// A minimal HTTP front for queues that have none: takes a body, and returns 200 once `accept` has resolved.
import { createServer } from "node:http";

export function serveFront(accept: (event: { n: number }) => Promise<unknown>): void {
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += chunk));
    request.on("end", () => {
      accept(JSON.parse(body)).then(
        () => response.end("{}"),
        (error: Error) => {
          response.statusCode = 500;
          response.end(error.message);
        },
      );
    });
  });
  process.on("disconnect", () => process.exit());
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    if (typeof address === "object" && address) process.send?.(`http://127.0.0.1:${address.port}`);
  });
}
