/** What a certificate's check needs of L1: an event, its transaction, and the root after a batch. */
import { l1Call } from "@openledger/bridge/l1/l1-client";
import { findEventBlock, readRollupLogs } from "@openledger/bridge/l1/log-reader";
import type { RegisteredCircuit, RollupContract } from "@openledger/bridge/l1/rollup-contract";
import { findPostedSettlement } from "@openledger/bridge/l1/submission/posted-settlement";
import { postedBy, type SubmittedEntry } from "@openledger/bridge/l1/submission/submitted-part";
import { CIRCUIT_SORT } from "@openledger/circuits/settlement/settlement-data";
import type { Hex } from "viem";
import type { CertificateFacts } from "./check-certificate.ts";
import { certificateFalse, type RowCertificate } from "./row-certificate.ts";

/** Places that the certificate names are only looked at; another one has none of its data. */
type Places = Pick<
  RowCertificate,
  "modelId" | "epoch" | "closingBatch" | "batchNumber" | "shard" | "version"
>;

/** @throws CIR_SETTLEMENT_DIFFERS where L1 has nothing there; BRG_BATCH_NOT_IN_CALL, BRG_HISTORY_UNREADABLE, BRG_L1_* */
export async function readCertificateFacts(
  rollup: RollupContract,
  { shard, version, ...key }: Places,
): Promise<CertificateFacts & { readonly transactionHash: Hex }> {
  const [found, circuits, root] = await Promise.all([
    findPostedSettlement(rollup, key),
    rollup.circuits(),
    rootInBlock(rollup, version.batchNumber, BigInt(version.blockNumber)),
  ]);
  if (found === null) throw certificateFalse("L1 has no such settlement");
  if (root === null) throw certificateFalse("L1 has no such batch in that block");
  const { circuitIndex, further } = found.submitted;
  // By row counts nothing is drawn, and C absorbs nothing private.
  if (circuits[circuitIndex]?.sort === CIRCUIT_SORT.payeeTable)
    throw certificateFalse("L1's settlement is by row counts");
  const entryOf = (entry: SubmittedEntry) => {
    const circuit = entry.circuitIndex === null ? undefined : circuits[entry.circuitIndex];
    if (circuit === undefined || entry.commitment === null)
      throw certificateFalse("C came in through another contract, so L1's records do not hold it");
    return { commitment: entry.commitment, placeCount: placesOf(circuit) };
  };
  const settled = entryOf(found.submitted);
  const own = shard === null ? undefined : further[shard.index];
  const posted = postedBy(found.submitted);
  const { transactionHash } = found;
  return { posted, settled, shard: own === undefined ? null : entryOf(own), root, transactionHash };
}

/** Places of E in a circuit of draws or of a shard (docs/reference/settlement.md). */
function placesOf({ size1, sort }: RegisteredCircuit): number {
  if (sort === CIRCUIT_SORT.shardedSettlement) return 5 + size1;
  return (sort === CIRCUIT_SORT.shard ? 1 : 5) + Math.ceil(size1 / 6);
}

/** The ledger's root after a batch; null where that block has not taken it. */
async function rootInBlock(
  { address, client }: RollupContract,
  batchNumber: number,
  block: bigint,
): Promise<bigint | null> {
  const range = { fromBlock: block, toBlock: block, maxChunkBlocks: 1 };
  for await (const { logs } of readRollupLogs({ client, address, ...range })) {
    for (const log of logs) {
      if (log.eventName === "BatchAccepted" && Number(log.args.batchNumber) === batchNumber)
        return log.args.newRoot;
    }
  }
  return null;
}

/** The block in which L1 took a batch; null where it has not since `fromBlock`. @throws BRG_L1_*, BRG_HISTORY_UNREADABLE */
export async function findBatchBlock(
  { address, client }: RollupContract,
  batchNumber: number,
  fromBlock: bigint,
): Promise<bigint | null> {
  const toBlock = await l1Call("read the newest block's number", () => client.getBlockNumber());
  return findEventBlock(
    {
      eventName: "BatchAccepted",
      args: { batchNumber: BigInt(batchNumber) },
      isIt: (log) => log.eventName === "BatchAccepted" && Number(log.args.batchNumber) === batchNumber,
    },
    { address, client, fromBlock, toBlock, maxChunkBlocks: 10_000 },
  );
}
