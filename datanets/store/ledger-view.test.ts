/** Tests of the host's view of the ledger: what it remembers, and how often it asks. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { hex32 } from "@openledger/foundation/hex";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { HostLedger } from "./ledger-view.ts";

const ZERO = hex32(0n);
/** A cache that nothing leaves by its age. */
const FOR_EVER_MS = 1e12;

let paths: string[] = [];
const answers = new Map<string, unknown>();
const server = createServer((request, response) => {
  paths.push(request.url!);
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(answers.get(request.url!) ?? []));
});
let sequencerUrl: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  sequencerUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  paths = [];
  answers.clear();
});
afterAll(() => void server.close());

const modelOf = (id: number, binding: bigint) => ({
  id,
  counters: { isReady: true, isApproved: true, epoch: 1, paymentCount: 0 },
  model: { accruedRoot: ZERO, binding: hex32(binding), validatorParts: 0 },
});

it("remembers a bounded number of leaves, whatever strangers name", async () => {
  const ledger = new HostLedger({ sequencerUrl, cacheMs: FOR_EVER_MS });
  expect(await ledger.leaf(1)).toBeNull();
  await ledger.leaf(1);
  expect(paths).toEqual(["/v1/leaves?ids=1"]);
  for (let first = 1_000; first < 101_000; first += 1_000)
    await Promise.all(Array.from({ length: 1_000 }, (_, i) => ledger.leaf(first + i)));
  expect(paths).toHaveLength(1 + 100_000 / 100);
  expect(ledger.cachedLeafCount).toBe(20_000);
  await ledger.leaf(1);
  expect(paths.at(-1)).toBe("/v1/leaves?ids=1");
});

it("reads models of many Datanets in pages, and gives each Datanet its own", async () => {
  const page = Array.from({ length: 1_000 }, (_, i) => modelOf(100 + i, 7n));
  answers.set("/v1/leaves?datanetId=7,8", page);
  answers.set("/v1/leaves?datanetId=7,8&after=1099", [modelOf(5_000, 8n)]);
  const models = await new HostLedger({ sequencerUrl, cacheMs: 0 }).modelsOf([7, 8]);
  expect([models.get(7)!.length, models.get(8)!.map(({ id }) => id)]).toEqual([1_000, [5_000]]);
  expect(paths).toHaveLength(2);
});
