/**
 * Makes, checks and uses snapshots: a ledger after a batch, in one file, that anybody can check against L1.
 * `openledger snapshot` calls it.
 */
import type { BlobSource } from "@openledger/bridge/blobs/blob-source";
import { createPatientL1Client, l1Call } from "@openledger/bridge/l1/l1-client";
import type { ModelPayments } from "@openledger/bridge/l1/payment-history";
import { RollupContract } from "@openledger/bridge/l1/rollup-contract";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { type LedgerSnapshot, snapshotFalse } from "@openledger/verifier/replay/ledger-snapshot";
import { restoreLedger } from "@openledger/verifier/restore/restore-ledger";
import {
  findBatchBlock,
  requireAnchored,
  type SnapshotAnchor,
} from "@openledger/verifier/restore/snapshot-anchor";
import { readSnapshot, writeSnapshot } from "@openledger/verifier/restore/snapshot-file";
import type { Address } from "viem";
import { snapshotOfDirectory } from "./log-snapshot.ts";

interface L1 {
  readonly rpcUrl: string;
  readonly rollupAddress: Address;
  readonly fromBlock?: bigint | undefined;
  readonly blobs?: BlobSource | undefined;
}

export interface SnapshotSummary {
  readonly path: string;
  readonly sha256: string;
  readonly position: LedgerSnapshot["position"];
  readonly leafCount: number;
  readonly modelCount: number;
}

const open = ({ blobs, rollupAddress, rpcUrl }: L1) =>
  new RollupContract({ client: createPatientL1Client({ rpcUrl }), address: rollupAddress, blobs });

const headOf = ({ client }: RollupContract) =>
  l1Call("read the newest block's number", () => client.getBlockNumber());

/**
 * Makes a snapshot from a data directory that no process has open, or by executing L1's batches up to so many blocks
 * before its head. Checked against L1 before it is written.
 * @throws BRG_*, SEQ_STORE_*
 */
export async function makeSnapshot(
  options: L1 & {
    readonly path: string;
    readonly dataPath?: string | undefined;
    readonly finalityDepthBlocks: number;
    readonly onBatch?: (batchNumber: number) => void;
  },
): Promise<SnapshotSummary> {
  await initPoseidon();
  const { dataPath, fromBlock, path, rollupAddress } = options;
  const rollup = open(options);
  const chainId = await l1Call("read the chain id", () => rollup.client.getChainId());
  const snapshot =
    dataPath === undefined
      ? await snapshotOfL1(rollup, chainId, options)
      : await snapshotOfDirectory(dataPath, { chainId, rollupAddress }, async (batchNumber) => {
          const range = { fromBlock, toBlock: await headOf(rollup) };
          const blockNumber = await findBatchBlock(rollup, batchNumber, range);
          if (blockNumber === null) throw snapshotFalse(`L1 has no batch ${batchNumber}`);
          return blockNumber;
        });
  await requireAnchored(rollup, snapshot, await headOf(rollup));
  return summary(path, await writeSnapshot(path, snapshot), snapshot);
}

async function snapshotOfL1(
  rollup: RollupContract,
  chainId: number,
  options: Parameters<typeof makeSnapshot>[0],
): Promise<LedgerSnapshot> {
  const { finalityDepthBlocks, fromBlock, onBatch } = options;
  const toBlock = (await headOf(rollup)) - BigInt(finalityDepthBlocks) + 1n;
  let blockNumber: number | null = null;
  const { ledger, replay, state } = await restoreLedger(rollup, {
    fromBlock,
    toBlock,
    onEvent: (event) => {
      if (event.type !== "batch") return;
      onBatch?.(Number(event.batch.batchNumber));
      blockNumber = event.blockNumber;
    },
  });
  if (blockNumber === null) throw snapshotFalse("L1 has no batch yet");
  const epochs = new Map<number, ModelPayments>();
  for (const [id, { rewards }] of ledger.leaves.withMore())
    if (rewards !== undefined)
      epochs.set(id, { open: replay.payments.open(id)!, closed: replay.payments.closed(id) });
  const { batchNumber, opIndex, queueHead } = state;
  const position = {
    batchNumber,
    root: ledger.root,
    nextId: ledger.nextId,
    opIndex,
    queueHead,
    timestamp: BigInt(state.timestamp),
  };
  const waiting = replay.entries
    .slice(queueHead)
    .filter(({ l1BlockNumber }) => l1BlockNumber < blockNumber!)
    .map(({ burnedFeeWei, type, ...entry }) => entry);
  const where = { chainId, rollupAddress: rollup.address, blockNumber };
  return { ...where, position, waiting, leaves: ledger.leaves, epochs };
}

/** @throws BRG_SNAPSHOT_INVALID, BRG_L1_* */
export async function verifySnapshot(
  options: L1 & { readonly path: string },
): Promise<SnapshotSummary & SnapshotAnchor> {
  await initPoseidon();
  const { path } = options;
  const { sha256, snapshot } = await readSnapshot(path);
  const rollup = open(options);
  const { anchor } = await requireAnchored(rollup, snapshot, await headOf(rollup));
  return { ...summary(path, sha256, snapshot), ...anchor };
}

const summary = (path: string, sha256: string, snapshot: LedgerSnapshot): SnapshotSummary => ({
  path,
  sha256,
  position: snapshot.position,
  leafCount: snapshot.leaves.size,
  modelCount: snapshot.epochs.size,
});
