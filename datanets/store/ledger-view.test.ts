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
  model: { accruedRoot: ZERO, binding: hex32(binding), validatorParts: 0, datanetId: 7, version: 1 },
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

it("asks for no leaf that no ledger can have, so that nobody's request fails with it", async () => {
  const ledger = new HostLedger({ sequencerUrl, cacheMs: 0 });
  const ids = [1, 2 ** 24, 9_999_999_999, 2, 2 ** 24 - 1];
  expect([...(await ledger.leaves(ids)).values()]).toEqual(ids.map(() => null));
  expect(paths).toEqual([`/v1/leaves?ids=1,2,${2 ** 24 - 1}`]);
});

it("reads leaves and models beside one whose signer has made up its numbers", async () => {
  const ledger = new HostLedger({ sequencerUrl, cacheMs: 0 });
  const statics = { featuresCommitment: ZERO, ownersCommitment: ZERO, payeeRoot: ZERO, binding: hex32(7n) };
  const leaf = { kind: "model", l1Owner: "0x", keyX: ZERO, chain: ZERO, counters: { epoch: 1 } };
  answers.set("/v1/leaves?ids=3,4", [
    { ...leaf, id: 3, model: { ...statics, ownerParts: 1e60, validatorParts: 1 } },
    { ...leaf, id: 4, model: { ...statics, ownerParts: 1, validatorParts: 1 } },
  ]);
  const [made, right] = await Promise.all([ledger.model(3), ledger.model(4)]);
  expect([made, right?.datanetIds]).toEqual([null, [7]]);
  answers.set("/v1/leaves?ids=8,9", [
    { ...leaf, id: 8, chain: 5 },
    { ...leaf, id: 9 },
  ]);
  const [wrong, other] = await Promise.allSettled([ledger.leaf(8), ledger.leaf(9)]);
  expect([wrong, other]).toMatchObject([
    { status: "rejected", reason: { code: "SRV_SEQUENCER_UNREACHABLE" } },
    { status: "fulfilled", value: { id: 9 } },
  ]);
  const odd = modelOf(5, 7n);
  answers.set("/v1/leaves?datanetId=7", [
    { ...odd, model: { ...odd.model, validatorParts: 1e60 } },
    modelOf(6, 7n),
  ]);
  expect((await ledger.modelsOf([7])).get(7)!.map(({ id }) => id)).toEqual([6]);
});
