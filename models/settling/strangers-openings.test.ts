import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, it } from "vitest";
import { fetchOpenings } from "./model-openings.ts";

let server: Server;
let requestCount = 0;
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

async function serve(answer: (response: ServerResponse) => void): Promise<string> {
  requestCount = 0;
  server = createServer((_request, response) => {
    requestCount += 1;
    // A reader that goes round in a circle must not do so for ever in a test.
    if (requestCount > 50) return void response.destroy();
    answer(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it("openings that do not end are left", async () => {
  let sentBytes = 0;
  const chunk = Buffer.alloc(2 ** 20, 0x20);
  const url = await serve((response) => {
    const more = () => {
      while (!response.destroyed && response.write(chunk)) sentBytes += chunk.length;
    };
    response.on("drain", more);
    more();
  });
  await expect(fetchOpenings(url, 1)).rejects.toMatchObject({ code: "ATT_SERVER_UNREACHABLE" });
  expect(sentBytes).toBeLessThan(2 ** 28);
}, 90_000);

it("openings whose pages go round in a circle are left", async () => {
  const url = await serve((response) => response.end(JSON.stringify({ openings: [], nextFrom: 0 })));
  await expect(fetchOpenings(url, 1)).rejects.toMatchObject({ code: "ATT_SERVER_UNREACHABLE" });
  expect(requestCount).toBe(1);
});
