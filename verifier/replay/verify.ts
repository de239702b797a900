/**
 * Verification of a rollup: rebuilds the ledger from L1's records and checks, without trust, every batch's
 * effect, every proof, the registered keys, and the contract's own sums. It needs an L1 node and the contract's
 * address. `openledger verify` calls it.
 */

import type { BlobSource } from "@openledger/bridge/blobs/blob-source";
import { isOldHead } from "@openledger/bridge/l1/confirmations";
import { createPatientL1Client, l1Call } from "@openledger/bridge/l1/l1-client";
import type { HistoryEvent, readL1History } from "@openledger/bridge/l1/l1-history";
import { type RegisteredCircuit, RollupContract } from "@openledger/bridge/l1/rollup-contract";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { FIELD_ORDER } from "@openledger/circuits/protocol";
import { hasOnlyBlobBatches, misfitOfNamed } from "@openledger/circuits/registry/circuit-sizes";
import { type Misfit, modelShape } from "@openledger/circuits/settlement/settlement-size";
import { openTokenAbi } from "@openledger/contracts/build/rollup-abi";
import { unusualParameters } from "@openledger/contracts/build/rollup-parameters";
import { computeDomain } from "@openledger/contracts/build/verifying-key";
import type { Address } from "viem";
import { blockReader } from "./block-reader.ts";
import { LedgerReplay, type ReplayStart, replayL1 } from "./ledger-replay.ts";
import { requireSame, verifyDiffers } from "./verify-error.ts";
import { checkKeys, type DerivedCircuit, isKeyOf, type VerifyProof } from "./verify-keys.ts";

export interface VerifyProgress {
  readonly batchNumber: number;
  readonly batchCount: number;
  readonly operationCount: number;
}

export interface VerifyOptions {
  readonly rpcUrl: string;
  readonly rollupAddress: Address;
  /**
   * Expected circuits, one for each registered one. Without them the keys on L1 are believed, and
   * `areKeysDerived` is false in the result.
   */
  readonly circuits?: readonly DerivedCircuit[];
  readonly verifyProof: VerifyProof;
  /** The last block that counts; the newest one where absent. */
  readonly toBlock?: bigint;
  /** Defaults to the contract's own block, which is searched for. */
  readonly fromBlock?: bigint;
  /**
   * Start from a snapshot: L1's root then stands for all before it, and sums of all that was ever paid are
   * not compared.
   */
  readonly start?: ReplayStart | undefined;
  /** Source of the batches' blobs. Default: none. */
  readonly blobs?: BlobSource | undefined;
  /** Reader of the records; tests falsify it. */
  readonly readHistory?: typeof readL1History;
  readonly onProgress?: (progress: VerifyProgress) => void;
}

export interface VerifyResult {
  readonly root: bigint;
  readonly blockNumber: number;
  /** L1's time of that block, in seconds. */
  readonly blockTimestamp: number;
  /**
   * The node's newest block was more than ten minutes old when the verification began: what L1 has since is not in this
   * result. False where `toBlock` was given, and on a development chain.
   */
  readonly isHeadOld: boolean;
  readonly batchCount: number;
  readonly operationCount: number;
  readonly leafCount: number;
  readonly queueEntryCount: number;
  readonly ledgerWei: bigint;
  readonly settlementCount: number;
  /** Proofs of batches and settlements checked here; the rest came in through other contracts, and only L1 saw them. */
  readonly proofCount: number;
  /**
   * Ready models whose activation names a circuit that does not settle them. Its cap is then no promise, and
   * without another circuit their epochs are settled by row counts. L1 accepts such an activation. Empty if
   * `circuits` has no names.
   */
  readonly misfits: readonly ModelMisfit[];
  /** The ledger's root never changes again (docs/reference/exits.md). */
  readonly isFrozen: boolean;
  /** Amount in wei that has left the frozen ledger, out of `ledgerWei`. */
  readonly exitedWei: bigint;
  readonly areKeysDerived: boolean;
  /** True if some registered circuit has a key whose secret is known: then no proof means anything. */
  readonly isDevelopment: boolean;
  /** Parameters and circuits that few would expect, in words. */
  readonly unusual: readonly string[];
}

/** Model with the circuit that its activation names, and the first mismatch. */
export interface ModelMisfit extends Misfit {
  readonly modelId: number;
  readonly circuit: string;
}

/**
 * @throws BRG_BATCH_MALFORMED, BRG_VERIFY_DIFFERS naming the first difference: batch, what, expected, actual;
 * BRG_BLOB_*, BRG_HISTORY_UNREADABLE, BRG_BATCH_NOT_IN_CALL, BRG_L1_*
 */
export async function verifyRollup(options: VerifyOptions): Promise<VerifyResult> {
  await initPoseidon();
  const client = createPatientL1Client({ rpcUrl: options.rpcUrl });
  const rollup = new RollupContract({ client, address: options.rollupAddress, blobs: options.blobs });
  const toBlock =
    options.toBlock ?? (await l1Call("read the newest block's number", () => client.getBlockNumber()));
  const chainId = await l1Call("read the chain id", () => client.getChainId());
  const { timestamp } = await l1Call(`read block ${toBlock}`, () =>
    client.getBlock({ blockNumber: toBlock }),
  );
  const isHeadOld = options.toBlock === undefined && isOldHead(chainId, timestamp);
  const circuits = await rollup.circuits();
  checkKeys(circuits, options.circuits ?? null);
  const domain = computeDomain(chainId, rollup.address, FIELD_ORDER);
  requireSame(null, "the domain", domain, await rollup.domain());

  const { batchNumber: batchCount } = await rollup.state({ blockNumber: toBlock });
  const replay = new LedgerReplay(circuits, options.verifyProof, blockReader(client));
  const onEvent = (event: HistoryEvent) => {
    if (event.type !== "batch") return;
    const batchNumber = Number(event.batch.batchNumber);
    options.onProgress?.({ batchNumber, batchCount, operationCount: replay.operationCount });
  };
  const { fromBlock, readHistory, start } = options;
  await replayL1(rollup, replay, { toBlock, fromBlock, start, readHistory, onEvent });
  const ledger = replay.requireLedger();
  await checkState(rollup, replay, toBlock, start === undefined);
  return {
    root: ledger.root,
    blockNumber: Number(toBlock),
    blockTimestamp: Number(timestamp),
    isHeadOld,
    batchCount,
    operationCount: replay.operationCount,
    leafCount: ledger.nextId,
    queueEntryCount: replay.entries.length,
    ledgerWei: ledger.totalWei(),
    settlementCount: replay.settlements.settlementCount,
    proofCount: replay.proofCount,
    misfits: findMisfits(replay, circuits, options.circuits ?? []),
    isFrozen: replay.isFrozen,
    exitedWei: replay.totals.totalExitedWei(),
    areKeysDerived: options.circuits !== undefined,
    isDevelopment: circuits.some((circuit) => circuit.isDevelopment),
    unusual: [
      ...unusualParameters(await rollup.parameters()),
      ...(hasOnlyBlobBatches(circuits)
        ? ["all batch circuits use blobs: only the sequencer can post batches"]
        : []),
    ],
  };
}

function findMisfits(
  replay: LedgerReplay,
  registered: readonly RegisteredCircuit[],
  derived: readonly DerivedCircuit[],
): ModelMisfit[] {
  return [...replay.settlements.namedCircuits].flatMap(([modelId, index]) => {
    const isIt = ({ key }: DerivedCircuit) => isKeyOf(key, registered[index]!);
    const name = derived.find(isIt)?.name;
    const named = derived.flatMap((circuit) => (circuit.name === undefined ? [] : [{ name: circuit.name }]));
    if (name === undefined) return [];
    const { model, rewards } = replay.requireLedger().requireLeaf(modelId);
    const misfit = misfitOfNamed(named, name, modelShape(model!.statics, rewards!.payees));
    return misfit == null ? [] : [{ modelId, circuit: name, ...misfit }];
  });
}

/** @param isWhole the replay began with the rollup: then its sums are the contract's, too */
async function checkState(
  rollup: RollupContract,
  replay: LedgerReplay,
  blockNumber: bigint,
  isWhole: boolean,
): Promise<void> {
  const at = { blockNumber };
  const ledger = replay.requireLedger();
  const { totals } = replay;
  const state = await rollup.state(at);
  requireSame(null, "the number of the last batch", replay.batchNumber, state.batchNumber);
  requireSame(null, "the root", ledger.root, state.root);
  requireSame(null, "the next id", ledger.nextId, state.nextId);
  requireSame(null, "the number of signed operations", replay.opIndex, state.opIndex);
  requireSame(null, "the time of the last batch", replay.timestamp, state.timestamp);
  requireSame(null, "the queue's head", replay.queueHead, state.queueHead);
  requireSame(null, "the queue's tail", replay.entries.length, await rollup.queueTail(at));
  const ledgerWei = await rollup.ledgerWei(at);
  requireSame(null, "whether the ledger is frozen", replay.isFrozen, state.isFrozen);
  requireSame(null, "what the ledger owes", ledger.totalWei() - totals.totalExitedWei(), ledgerWei);
  if (!isWhole) return;
  requireSame(null, "what was paid into the ledger, less what was paid out", totals.ledgerWei, ledgerWei);
  const burnableWei = await rollup.burnableWei(at);
  requireSame(null, "the fees to burn", totals.burnableWei, burnableWei);
  const queued = await rollup.queuedDeposits(at);
  requireSame(
    null,
    "the waiting deposits",
    [totals.queuedDepositCount, totals.queuedDepositWei].join(),
    [queued.count, queued.amountWei].join(),
  );
  let pendingWei = 0n;
  for (const [owner, amountWei] of totals.pendingWei) {
    requireSame(
      null,
      `the pending withdrawals of ${owner}`,
      amountWei,
      await rollup.pendingWithdrawalWei(owner as Address, at),
    );
    pendingWei += amountWei;
  }
  const token = await rollup.token();
  const heldWei = await l1Call("read the rollup's balance", () =>
    rollup.client.readContract({
      address: token,
      abi: openTokenAbi,
      functionName: "balanceOf",
      args: [rollup.address],
      ...at,
    }),
  );
  const owedWei = ledgerWei + queued.amountWei + pendingWei + burnableWei;
  // Anyone may send it tokens, so it may hold more.
  if (heldWei < owedWei)
    throw verifyDiffers({
      batchNumber: null,
      what: "the OPEN that the contract holds",
      expected: `at least ${owedWei}`,
      actual: heldWei,
    });
}
