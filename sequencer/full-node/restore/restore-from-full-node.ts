/**
 * Makes a sequencer's data directory from a stopped full node's: with all acknowledged operations that the full
 * node had seen, under the same numbers, so that the preconfirmations hold. L1 alone gives only posted
 * operations. `openledger restore --from-full-node` calls it.
 */
import { existsSync } from "node:fs";
import { cp, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { createPatientL1Client } from "@openledger/bridge/l1/l1-client";
import { RollupContract } from "@openledger/bridge/l1/rollup-contract";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import type { StoreRollup } from "@openledger/foundation/store/store-identity";
import type { Address } from "viem";
import { type Restored, restore } from "../../batches/restore.ts";
import { sequencerError } from "../../sequencer-errors.ts";
import { FOLLOW_MARKER, type FollowMarker } from "../../store/follow-marker.ts";
import { LedgerLog } from "../../store/ledger-log.ts";
import type { ChainPosition } from "../../store/log-entry.ts";
import { NO_ACTIVATION, readFollowedRollup } from "../followed-ledger.ts";
import { promoteDirectory } from "./promote-directory.ts";

export interface RestoreFromFullNodeOptions {
  readonly rpcUrl: string;
  readonly rollupAddress: Address;
  /** The full node's `--data`; it must not be running. It is not changed. */
  readonly fullNodePath: string;
  /** New directory: it must not exist. */
  readonly dataPath: string;
}

export interface RestoreFromFullNodeResult {
  /** Position after all executed operations, the open batch included. */
  readonly position: Pick<ChainPosition, "batchNumber" | "opIndex" | "root">;
  /** Signed operations that L1 does not have: without the full node they would be gone. */
  readonly unpostedCount: number;
  readonly leafCount: number;
}

/**
 * Restores all or nothing: the directory gets its name when everything in it is right.
 * @throws SEQ_WRONG_DIRECTORY, SEQ_TOO_EARLY, SEQ_FROZEN, SEQ_STORE_*, BRG_L1_*
 */
export async function restoreFromFullNode(
  options: RestoreFromFullNodeOptions,
): Promise<RestoreFromFullNodeResult> {
  const { dataPath, fullNodePath } = options;
  if (existsSync(dataPath)) {
    throw sequencerError("SEQ_WRONG_DIRECTORY", `there is something at ${dataPath} already`, {
      data: { reason: "store-not-empty", dataPath },
    });
  }
  await initPoseidon();
  const { rollupAddress, rpcUrl } = options;
  const rollup = new RollupContract({ client: createPatientL1Client({ rpcUrl }), address: rollupAddress });
  const { chainId, rules } = await readFollowedRollup(rollup);
  const own = { chainId, rollupAddress };
  const source = join(fullNodePath, "ledger");
  await checkSource(source, own);

  const partPath = `${dataPath}.part`;
  await rm(partPath, { recursive: true, force: true });
  // LOCK belongs to the process that has the directory open.
  await cp(source, partPath, { recursive: true, filter: (path) => basename(path) !== "LOCK" });
  const log = await LedgerLog.open(partPath, own, undefined, { owner: "full-node" });
  let result: RestoreFromFullNodeResult;
  try {
    const restored = await restore(log, { ...NO_ACTIVATION, rules });
    result = await describe(restored, rollup);
    await log.write([restored.unpromised.add(result.position.opIndex, null)]);
  } finally {
    await log.close();
  }
  await promoteDirectory(partPath, own);
  await rename(partPath, dataPath);
  return result;
}

async function describe(restored: Restored, rollup: RollupContract): Promise<RestoreFromFullNodeResult> {
  const unpostedCount = await requireAllOfL1(restored, rollup);
  const { batchNumber, opIndex, root } = restored.head.position;
  return { position: { batchNumber, opIndex, root }, unpostedCount, leafCount: restored.leafCount };
}

async function checkSource(path: string, rollup: StoreRollup): Promise<void> {
  if (!existsSync(path)) {
    throw sequencerError("SRV_STORE_FAILED", `there is no full node's ledger at ${path}`, { data: { path } });
  }
  const log = await LedgerLog.open(path, rollup, undefined, { owner: "full-node" });
  try {
    const marker = await log.get<FollowMarker>(FOLLOW_MARKER);
    if (marker === undefined) {
      throw sequencerError("SEQ_WRONG_DIRECTORY", `the full node at ${path} has not read L1 to its end yet`, {
        data: { reason: "store-empty", dataPath: path },
      });
    }
    if (marker.isFrozen === true) {
      throw sequencerError("SEQ_FROZEN", "the rollup is frozen on L1: no sequencer can go on with it", {
        data: { blockNumber: marker.blockNumber },
      });
    }
  } finally {
    await log.close();
  }
}

/**
 * Requires all of L1's signed operations: without them other operations would take their places.
 * @returns how many signed operations it has that L1 does not
 */
async function requireAllOfL1({ registry, head }: Restored, rollup: RollupContract): Promise<number> {
  const state = await rollup.state();
  const isKnown = state.batchNumber >= registry.finalNumber && state.batchNumber <= registry.closedNumber;
  if (!isKnown || registry.positionAfter(state.batchNumber).root !== state.root) {
    throw sequencerError(
      "SEQ_TOO_EARLY",
      `L1 has batch ${state.batchNumber}, which the full node has not: let it catch up, then stop it`,
      {
        data: {
          reason: "full-node-behind",
          l1Batch: state.batchNumber,
          finalBatch: registry.finalNumber,
          closedBatch: registry.closedNumber,
        },
      },
    );
  }
  return head.position.opIndex - state.opIndex;
}
