/** Finds free ports for tests and drills that have to know a port before a process listens on it. */
import { createServer } from "node:net";

/**
 * Range of ports below those that Linux gives to outgoing connections, which might take a port while its
 * process restarts.
 */
const FIRST = 21_000;
const COUNT = 11_000;
const input = new Set<number>();

/** Finds a free port, for a caller that has to know it in advance or to reuse it. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(COUNT * Math.random());
    if (input.has(port)) continue;
    input.add(port);
    if (await isFree(port)) return port;
  }
}

export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
