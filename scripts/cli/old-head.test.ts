import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, it } from "vitest";
import { oldHeadLines } from "./old-head.ts";

const servers: { close(): void }[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** An Ethereum node that knows its chain's id and its newest block. @returns its URL */
async function nodeWith(chainId: number, ageSeconds: number): Promise<string> {
  const timestamp = `0x${(Math.floor(Date.now() / 1_000) - ageSeconds).toString(16)}`;
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const part of request) body += part;
    const { id, method } = JSON.parse(body) as { id: number; method: string };
    const result =
      method === "eth_chainId" ? `0x${chainId.toString(16)}` : { number: "0x7", timestamp, transactions: [] };
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ jsonrpc: "2.0", id, result }));
  });
  servers.push(server);
  await new Promise<void>((settle) => server.listen(0, "127.0.0.1", settle));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it("warns of a newest block that is older than ten minutes, never on a development chain", async () => {
  expect(await oldHeadLines(await nodeWith(1, 900))).toEqual([
    expect.stringMatching(/^⚠ the node's newest block is of \d{4}-.*, more than ten minutes ago/),
  ]);
  expect(await oldHeadLines(await nodeWith(1, 60))).toEqual([]);
  expect(await oldHeadLines(await nodeWith(31_337, 900))).toEqual([]);
});
