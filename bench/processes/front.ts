// An HTTP front as thin as can be, for queues that have none: a body in, 200 when `accept` has resolved.
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
