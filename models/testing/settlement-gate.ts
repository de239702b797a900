/** Way to a sequencer on which settlements wait until the test lets them through; everything else passes at once. */
import { once } from "node:events";
import { createServer, request as onward } from "node:http";
import type { AddressInfo } from "node:net";

interface SettlementGate {
  readonly url: string;
  /** Lets the waiting settlements and all later ones through. */
  open(): void;
  stop(): Promise<void>;
}

export async function startSettlementGate(sequencerUrl: string): Promise<SettlementGate> {
  const opened = new AbortController();
  const server = createServer(async (request, response) => {
    const { headers, method, url: path } = request;
    if (method === "POST" && path === "/v1/settlements" && !opened.signal.aborted)
      await once(opened.signal, "abort");
    const passed = onward(new URL(path!, sequencerUrl), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
    passed.on("error", () => response.destroy());
    request.pipe(passed);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    open: () => opened.abort(),
    async stop() {
      opened.abort();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
