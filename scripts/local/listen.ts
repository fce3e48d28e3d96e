// Listening on loopback, and the error of a port that is taken.
import { createServer, type Server } from "node:net";

export const LOOPBACK = "127.0.0.1";

/** Listens on loopback and returns the port; 0 takes a free one. Throws Node's error, e.g. EADDRINUSE. */
export function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, LOOPBACK, () => {
      server.off("error", reject);
      const address = server.address();
      resolve(address !== null && typeof address === "object" ? address.port : port);
    });
  });
}

/** A free port, found by taking `port` (0: any) and giving it back. Throws Node's error if the port cannot be had. */
export async function freePort(port: number): Promise<number> {
  const server = createServer();
  const found = await listen(server, port);
  await new Promise((resolve) => server.close(resolve));
  return found;
}
