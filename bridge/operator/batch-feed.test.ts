import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { WebSocketServer } from "ws";
import { followBatches } from "./batch-feed.ts";

it("tells of proven batches alone, connects again, and ends with its signal", async () => {
  const server = new WebSocketServer({ port: 0 });
  await once(server, "listening");
  const stopping = new AbortController();
  let provenCount = 0;
  const { port } = server.address() as AddressInfo;
  const following = followBatches({
    // Behind a proxy a sequencer may have a path.
    sequencerUrl: `http://127.0.0.1:${port}/ledger/`,
    signal: stopping.signal,
    onProven: () => {
      provenCount += 1;
    },
  });
  const [first, { url }] = await once(server, "connection");
  expect(url).toBe("/ledger/v1/feed?topics=batches");
  const messageOf = (event: string) => JSON.stringify({ topic: "batches", event, data: { batchNumber: 1 } });
  for (const text of ["no JSON", "[]", messageOf("closed"), messageOf("posted"), messageOf("proven")])
    first.send(text);
  await expect.poll(() => provenCount).toBe(1);
  first.terminate();
  const [second] = await once(server, "connection");
  second.send(messageOf("proven"));
  await expect.poll(() => provenCount).toBe(2);
  stopping.abort();
  await following;
  server.close();
});

it("goes on while there is no sequencer, and ends meanwhile", async () => {
  const stopping = new AbortController();
  const following = followBatches({
    sequencerUrl: "http://127.0.0.1:1",
    signal: stopping.signal,
    onProven: () => {},
  });
  setTimeout(() => stopping.abort(), 50);
  await following;
});
