import { createServer, type Server } from "node:http";
import type { Registry } from "prom-client";

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

/** GET /health, 503 while `isHealthy` says no, and GET /metrics, for this machine alone. */
export async function startHealthServer(options: {
  port: number;
  registry: Registry;
  health: () => { isHealthy: boolean; [fact: string]: unknown };
}): Promise<HealthServer> {
  const server: Server = createServer((request, response) => {
    if (request.url === "/health") {
      const health = options.health();
      response
        .writeHead(health.isHealthy ? 200 : 503, { "content-type": "application/json" })
        .end(JSON.stringify(health));
    } else if (request.url === "/metrics") {
      void options.registry
        .metrics()
        .then((text) => response.writeHead(200, { "content-type": options.registry.contentType }).end(text));
    } else {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, "127.0.0.1", () => resolve());
  });
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : options.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
