import { type Anvil, startAnvil } from "@openledger/contracts/l1/anvil";
import { type Gate, startGate } from "@openledger/contracts/testing/gate-fixture";
import { connect, deployFixture, SHAPES } from "@openledger/contracts/testing/rollup-fixture";
import { createPublicClient, custom } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { RollupContract } from "../../l1/rollup-contract.ts";
import { AdmissionReader } from "./admission-reader.ts";

let anvil: Anvil;
let client: Awaited<ReturnType<typeof connect>>;
let gate: Gate;

beforeAll(async () => {
  anvil = await startAnvil();
  client = await connect(anvil);
  gate = await startGate(client);
});
afterAll(() => anvil?.stop());

async function readerOf(activationGate?: `0x${string}`, limits = {}): Promise<AdmissionReader> {
  const { deployment } = await deployFixture(
    client,
    activationGate === undefined ? {} : { activationGate },
    SHAPES,
  );
  const l1 = createPublicClient({ chain: client.chain, transport: custom(client) });
  const rollup = new RollupContract({ client: l1 as never, address: deployment.rollup });
  return new AdmissionReader(rollup, { maxChunkBlocks: 3, ...limits });
}

test("finds what the gate admits, up to the block that is deep enough, and keeps it", async () => {
  const reader = await readerOf(gate.address);
  const head = async () => Number(await client.getBlockNumber());
  expect(await reader.upTo(await head())).toEqual({ found: [], isComplete: true });
  await gate.admit(7, 16);
  const at = await head();
  expect(await reader.upTo(at - 1)).toEqual({ found: [], isComplete: true });
  const admitted = { modelId: 7, word: gate.wordOf(7, 16) };
  expect(await reader.upTo(at)).toEqual({ found: [admitted], isComplete: true });
  await client.mine({ blocks: 10 });
  // The same again is no other one.
  await gate.admit(7, 16);
  await gate.admit(8, 32);
  const both = [admitted, { modelId: 8, word: gate.wordOf(8, 32) }];
  expect(await reader.upTo(await head())).toEqual({ found: both, isComplete: true });
});

test("says that a list is not complete until it has read everything", async () => {
  await gate.admit(10, 16);
  await client.mine({ blocks: 5 });
  const reader = await readerOf(gate.address, { maxChunks: 1 });
  const head = Number(await client.getBlockNumber());
  const looks = [];
  do looks.push((await reader.upTo(head))!);
  while (!looks.at(-1)!.isComplete);
  expect(looks.length).toBeGreaterThan(2);
  expect(looks.at(-1)!.found).toContainEqual({ modelId: 10, word: gate.wordOf(10, 16) });
});

test("finds what the gate admitted for every rollup before this one was deployed", async () => {
  await gate.admit(9, 16);
  const reader = await readerOf(gate.address);
  const { found } = (await reader.upTo(Number(await client.getBlockNumber())))!;
  expect(found).toContainEqual({ modelId: 9, word: gate.wordOf(9, 16) });
});

test("says of a rollup without a gate that it has none", async () => {
  expect(await (await readerOf()).upTo(1_000)).toBeNull();
});
