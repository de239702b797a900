import { createServer } from "node:net";

/** Below what Linux gives to outgoing connections, which else take a port while its process is started again. */
const [FIRST, COUNT] = [21_000, 11_000];
const given = new Set<number>();

/** A port that nothing listens at, for anyone who has to know it before, or to come back to it. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(COUNT * Math.random());
    if (given.has(port)) continue;
    given.add(port);
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
