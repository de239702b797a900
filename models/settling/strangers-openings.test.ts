import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, it } from "vitest";
import { fetchOpenings } from "./model-openings.ts";
import { openingPages } from "./opening-pages.ts";

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

it("openings without an end are left: empty pages that go on, places outside of the page or of an epoch, and pages one by one", async () => {
  const opening = (index: number) => ({
    ...{ index, receipt: "0x1", payerId: 4, answerHash: "0x2", queryBytes: "", salt: "0x3" },
  });
  let from = 0;
  const answers: Record<string, () => object> = {
    "empty pages": () => ({ openings: [], nextFrom: ++from }),
    "another place": () => ({ openings: [opening(7)], nextFrom: 5 }),
    "no epoch's": () => ({ openings: [opening(0)], nextFrom: 2 ** 16 + 1 }),
    "behind the last": () => ({ openings: [opening(2 ** 16)], nextFrom: null }),
  };
  for (const [name, answer] of Object.entries(answers)) {
    from = 0;
    const url = await serve((response) => response.end(JSON.stringify(answer())));
    await expect(fetchOpenings(url, 1), name).rejects.toMatchObject({ code: "ATT_SERVER_UNREACHABLE" });
    expect(requestCount, name).toBe(1);
    server.close();
  }
  // Each is as documented: their number and their time are bounded.
  const one = (at: number) => Promise.resolve({ openings: [{ index: at }], nextFrom: at + 1 });
  const read = async (maxMs?: number) => {
    let count = 0;
    const bound = maxMs === undefined ? {} : { maxMs };
    for await (const { openings } of openingPages(one, { url: "a server", ...bound })) count += openings.length;
    return count;
  };
  await expect(read()).rejects.toMatchObject({ code: "ATT_SERVER_UNREACHABLE" });
  await expect(read(0)).rejects.toThrow(/did not end within 0 ms/);
});
