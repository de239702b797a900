/** What L1 takes of a rollup's signed operations in a time, and what its operator pays for it. */
import { setTimeout as sleep } from "node:timers/promises";
import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { drillAccount } from "@openledger/e2e/world/accounts";
import type { World } from "@openledger/e2e/world/world";
import { type Hex, toHex } from "viem";

export interface Measured {
  readonly operationCount: number;
  readonly ms: number;
  readonly operatorGas: number;
  /** Of the operator's transactions. */
  readonly revertedCount: number;
}

/** No batch on L1 for so long counts as a standstill: many times what a proof takes, also where others use the machine. */
const STANDSTILL_MS = 600_000;

/** Called when a batch has arrived on L1: until another one has, at least so many seconds later; or a standstill. */
export async function measure(world: World, seconds: number): Promise<Measured> {
  const startedAtMs = performance.now();
  const { client } = world.l1;
  const firstBlock = await client.getBlockNumber();
  await sleep(1_000 * seconds);
  await goesOn(world);
  const ms = performance.now() - startedAtMs;
  // Both at their blocks: a batch may arrive between two questions.
  const lastBlock = await client.getBlockNumber();
  const operationCount = (await postedCount(world, lastBlock)) - (await postedCount(world, firstBlock));
  const spent = await operatorsReceipts(world, firstBlock + 1n, lastBlock);
  return {
    operationCount,
    ms,
    operatorGas: spent.reduce((sum, { gasUsed }) => sum + Number(gasUsed), 0),
    revertedCount: spent.filter(({ status }) => status === "0x0").length,
  };
}

/**
 * Waits for the next batch on L1. @returns whether one came.
 * @throws DRL_PROCESS_ENDED where sequencer or prover ended: none of the attacks is on them
 */
export async function goesOn(world: World): Promise<boolean> {
  try {
    await world.nextBatch(STANDSTILL_MS);
    return true;
  } catch (error) {
    if (!world.sequencer.isRunning || !world.prover.isRunning) throw error;
    return false;
  }
}

async function postedCount({ l1 }: World, blockNumber: bigint): Promise<number> {
  const address = l1.deployment.rollupAddress;
  const call = { address, abi: rollupAbi, functionName: "state", blockNumber } as const;
  return Number((await l1.client.readContract(call)).opIndex);
}

interface MinedReceipt {
  readonly from: Hex;
  readonly gasUsed: Hex;
  readonly status: Hex;
}

async function operatorsReceipts({ l1 }: World, fromBlock: bigint, toBlock: bigint) {
  const operator = drillAccount("operator").address.toLowerCase();
  const receipts: MinedReceipt[] = [];
  for (let blockNumber = fromBlock; blockNumber <= toBlock; blockNumber++) {
    const mined = (await l1.client.request({
      method: "eth_getBlockReceipts",
      params: [toHex(blockNumber)],
    } as never)) as MinedReceipt[];
    receipts.push(...mined.filter(({ from }) => from.toLowerCase() === operator));
  }
  return receipts;
}
