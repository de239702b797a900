import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { countTerms, encodeDirectQuery } from "@openledger/circuits/ledger/direct-query";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fetchOpenings } from "./model-openings.ts";

// A server that shows one opening in a form that is none, among good ones.

const BUCKETS = 16;
const good = encodeDirectQuery({ counts: countTerms([1, 1, 3], BUCKETS), answeredClass: 1, pair: 4 });
const openings = [good, Uint8Array.of(2), good.slice(0, -1), good].map((bytes, index) => ({
  index,
  receipt: `0x${index + 1}`,
  payerId: 3,
  answerHash: "0x5",
  salt: "0x6",
  queryBytes: Buffer.from(bytes).toString("base64"),
}));
const server = createServer((_request, response) => {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ openings, nextFrom: null }));
});
beforeAll(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
afterAll(() => server.close());

test("an opening that cannot be read opens nothing, and hides no other", async () => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const shown = await fetchOpenings(url, 1, true);
  expect([...shown.keys()]).toEqual([1n, 4n]);
  expect(shown.get(4n)!.query).toEqual(shown.get(1n)!.query);
});
