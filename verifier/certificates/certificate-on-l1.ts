/** What a certificate's check needs of L1: an event, its transaction, and the root after a batch. */
import { l1Call } from "@openledger/bridge/l1/l1-client";
import { findEventBlock, readRollupLogs } from "@openledger/bridge/l1/log-reader";
import type { RollupContract } from "@openledger/bridge/l1/rollup-contract";
import { findPostedSettlement } from "@openledger/bridge/l1/submission/posted-settlement";
import { CIRCUIT_SORT, decodeSettlement } from "@openledger/circuits/settlement/settlement-data";
import { type Hex, hexToBytes } from "viem";
import type { CertificateFacts } from "./check-certificate.ts";
import { certificateFalse, type RowCertificate } from "./row-certificate.ts";

/** Places that the certificate names are only looked at; another one has none of its data. */
type Places = Pick<RowCertificate, "modelId" | "epoch" | "closingBatch" | "batchNumber" | "version">;

/** @throws CIR_SETTLEMENT_DIFFERS where L1 has nothing there; BRG_BATCH_NOT_IN_CALL, BRG_HISTORY_UNREADABLE, BRG_L1_* */
export async function readCertificateFacts(
  rollup: RollupContract,
  { version, ...key }: Places,
): Promise<CertificateFacts & { readonly transactionHash: Hex }> {
  const [found, circuits, root] = await Promise.all([
    findPostedSettlement(rollup, key),
    rollup.circuits(),
    rootInBlock(rollup, version.batchNumber, BigInt(version.blockNumber)),
  ]);
  if (found === null) throw certificateFalse("L1 has no such settlement");
  if (root === null) throw certificateFalse("L1 has no such batch in that block");
  const { circuitIndex, commitment, data } = found.submitted;
  const circuit = circuits[circuitIndex];
  // By row counts nothing is drawn, and C absorbs nothing private.
  if (circuit?.sort !== CIRCUIT_SORT.settlement) throw certificateFalse("L1's settlement is by row counts");
  if (commitment === null)
    throw certificateFalse("C came in through another contract, so L1's records do not hold it");
  const { transactionHash } = found;
  const posted = decodeSettlement(hexToBytes(data));
  return { posted, commitment, circuitPayees: circuit.size1, root, transactionHash };
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
