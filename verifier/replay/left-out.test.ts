/** Events that a node leaves out of its logs: no reader of L1 takes what is left for the whole. */
import { createL1Client } from "@openledger/bridge/l1/l1-client";
import { RollupContract } from "@openledger/bridge/l1/rollup-contract";
import { behindLimit, leavesOut } from "@openledger/bridge/testing/limited-node";
import {
  type ModelHistory,
  SAMPLED_CIRCUIT,
  startModelHistory,
} from "@openledger/bridge/testing/model-history";
import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { type ContractEventName, type Hex, toEventSelector } from "viem";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkPreconfirmations } from "../evidence/preconfirmation-check.ts";
import { restoreLedger } from "../restore/restore-ledger.ts";
import { verifyRollup } from "./verify.ts";

let f: ModelHistory;
let settledBatch: number;
beforeAll(async () => {
  f = await startModelHistory();
  await f.makeModel();
  await f.openModel();
  await f.recordRandomness(await f.closeEpoch());
  await f.submit([await f.proveSettlementFixture(await f.sampledData(), SAMPLED_CIRCUIT)]);
  settledBatch = (await f.rollup.state()).batchNumber;
});
afterAll(() => f?.stop());

const topicOf = (name: ContractEventName<typeof rollupAbi>): Hex =>
  toEventSelector(rollupAbi.find((item) => item.type === "event" && item.name === name)! as never);

/** Leaves out one event of a name, the last one. */
async function leavesOutLast(name: ContractEventName<typeof rollupAbi>) {
  const events = await f.l1.client.getContractEvents({
    address: f.rollup.address,
    abi: rollupAbi,
    eventName: name,
    fromBlock: 0n,
  });
  const { blockNumber } = events.at(-1)!;
  return leavesOut((log) => log.topics[0] === topicOf(name) && BigInt(log.blockNumber) === blockNumber);
}

const readers: [string, (rpcUrl: string) => Promise<unknown>][] = [
  [
    "openledger verify",
    (rpcUrl) =>
      verifyRollup({
        rpcUrl,
        rollupAddress: f.rollup.address,
        circuits: f.derived,
        verifyProof: f.verifyProof,
      }),
  ],
  ["a restored ledger", (rpcUrl) => restoreLedger(rollupAt(rpcUrl))],
  ["the check of preconfirmations", (rpcUrl) => checkPreconfirmations(rollupAt(rpcUrl), [])],
];
const rollupAt = (rpcUrl: string): RollupContract =>
  new RollupContract({ client: createL1Client({ rpcUrl, pollIntervalMs: 10 }), address: f.rollup.address });

describe.each(readers)("%s", (_, read) => {
  it.each([
    ["BatchAccepted", (): string => `batch ${settledBatch}`],
    ["QueueEntryAdded", (): string => "queue entry"],
    ["EpochsClosed", (): string => "the CloseEpochs of batch"],
  ] as const)("says that the node's logs lack %s", async (name, what) => {
    const limit = await leavesOutLast(name);
    await expect(behindLimit(f.rpcUrl, limit, read)).rejects.toMatchObject({
      code: "BRG_L1_LOGS_INCOMPLETE",
      data: { what: expect.stringContaining(what()) },
    });
  });

  it("asks for randomness by its batch where the logs lack it", async () => {
    const limit = await leavesOutLast("RandomnessRecorded");
    const { result } = await behindLimit(f.rpcUrl, limit, read);
    expect(result).toBeDefined();
  });
});
