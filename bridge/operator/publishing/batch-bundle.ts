/**
 * Choice of the batches that one L1 transaction submits, with its calldata, gas limit and blobs.
 * batch-publisher.ts calls it whenever no transaction of its own waits.
 */
import type { BlobSidecar } from "@openledger/contracts/l1/blob-transaction";
import { MAX_TRANSACTION_GAS, paddedGas, smaller, worstCaseGas } from "@openledger/contracts/l1/fee-policy";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { type Address, type Hex, hexToBytes, size } from "viem";
import { postedBlobHash } from "../../blobs/read-batch.ts";
import { bridgeError } from "../../bridge-errors.ts";
import { creditCountOf } from "../../l1/credit-count.ts";
import { type ContractSubmission, type RollupContract, TAKE_PRE_VERIFIED } from "../../l1/rollup-contract.ts";
import type { ReadyBatch, ReadySettlement } from "../operator-client.ts";
import { type BlobMaker, countWithinBlobs } from "./bundle-blobs.ts";

/** Limits of one transaction. */
export interface BundleLimits {
  readonly maxBatchCount: number;
  readonly maxInputBytes: number;
  /** Maximum gas of several batches together; one alone may have all that a transaction can. */
  readonly maxGas: bigint;
}

/**
 * 8 batches; 120 KB, below the 128 KiB that geth's pool takes of one transaction; three quarters of EIP-7825's 2^24
 * gas.
 */
export const BUNDLE_LIMITS: BundleLimits = {
  maxBatchCount: 8,
  maxInputBytes: 120_000,
  maxGas: (MAX_TRANSACTION_GAS * 3n) / 4n,
};

/** Content of one transaction. */
export interface Bundle {
  readonly batches: readonly ReadyBatch[];
  /** Calldata of `submitBatches`. */
  readonly input: Hex;
  readonly gasLimit: bigint;
  /** Sidecars of the batches that have a blob, in their order. */
  readonly sidecars: readonly BlobSidecar[];
}

/** The one block that all reads of one pass refer to. */
export interface BundleView {
  readonly head: { readonly number: bigint; readonly gasLimit: bigint };
  /** Number of times to double the gas that the call needs, since earlier transactions ran out of gas. */
  readonly gasDoublings: number;
}

interface BundleModules {
  readonly rollup: RollupContract;
  /** Index on L1 of a circuit's name. */
  readonly circuitIndex: (name: string) => number;
  readonly from: Address;
  readonly makeBlobs: BlobMaker;
}

/**
 * Chooses the longest run of batches, from the first on, that fits one transaction, whatever others add to its gas
 * before it is mined, and that L1 takes now. Halving finds a run that is at least half as long as the longest.
 * @throws BRG_CONTRACT_REVERTED where L1 refuses the first batch alone; BRG_BATCH_TOO_LARGE
 */
export async function chooseBundle(
  ready: readonly ReadyBatch[],
  limits: BundleLimits,
  modules: BundleModules,
  { gasDoublings, head }: BundleView,
): Promise<Bundle> {
  const maxCount = Math.min(countWithinBlobs(ready), limits.maxBatchCount);
  const preVerified = await preVerifiedAmong(ready.slice(0, maxCount), modules.rollup, head.number);
  // A blob takes seconds to make. L1 is asked by the names in the posted bytes, and only blobs that are sent are made.
  const inBlobs = ready.slice(0, maxCount).filter(({ blobElements }) => blobElements !== undefined);
  const named: { readonly versionedHash: Hex }[] = inBlobs.map(({ data }) => ({
    versionedHash: postedBlobHash(hexToBytes(data)),
  }));
  let count = maxCount;
  for (;;) {
    const batches = ready.slice(0, count);
    const ownNames = named.slice(0, batches.filter(({ blobElements }) => blobElements !== undefined).length);
    const submission = submissionOf(batches, modules.circuitIndex, preVerified);
    const input = modules.rollup.encodeSubmitBatches(submission);
    const isAlone = count === 1;
    const maxGas = isAlone ? maxGasLimit(head) : smaller(limits.maxGas, head.gasLimit);
    let gasEstimate = maxGas + 1n;
    if (size(input) <= limits.maxInputBytes) {
      try {
        const at = { blockNumber: head.number };
        gasEstimate = await modules.rollup.estimateSubmitBatchesGas(submission, modules.from, at, ownNames);
      } catch (error) {
        // L1 may refuse a later batch, or all of them together need too much gas.
        const mayBeTheBundle =
          isRollupError(error, "BRG_CONTRACT_REVERTED") || isRollupError(error, "BRG_L1_REFUSED");
        if (isAlone || !mayBeTheBundle) throw error;
      }
    }
    const gasNeeded = worstCaseGas(gasEstimate, creditCountOf(batches)) << BigInt(gasDoublings);
    // One batch alone gets all gas that there is: leaving it out because of others' possible actions would serve them.
    if (gasNeeded <= maxGas || (isAlone && gasEstimate <= maxGas)) {
      const sidecars = await modules.makeBlobs(batches);
      if (sidecars.every(({ versionedHash }, i) => versionedHash === named[i]!.versionedHash))
        return { batches, input, sidecars, gasLimit: paddedGas(gasNeeded, maxGasLimit(head)) };
      // The bytes name another blob than the batch's: ask L1 about the true one.
      for (const [i, sidecar] of sidecars.entries()) named[i] = sidecar;
      continue;
    }
    if (isAlone) {
      const { batchNumber } = batches[0]!;
      throw bridgeError("BRG_BATCH_TOO_LARGE", `batch ${batchNumber} alone is too large for a transaction`, {
        data: {
          batchNumber,
          inputBytes: size(input),
          gasEstimate,
          maxInputBytes: limits.maxInputBytes,
          maxGas,
        },
      });
    }
    count = Math.floor(count / 2);
  }
}

/** Maximum gas of a transaction: EIP-7825's limit, or the whole block. */
export const maxGasLimit = (head: BundleView["head"]): bigint => smaller(MAX_TRANSACTION_GAS, head.gasLimit);

/**
 * Finds settlements that somebody has pre-verified on L1: their proofs need not be checked again, which costs a tenth
 * of the gas.
 */
async function preVerifiedAmong(
  batches: readonly ReadyBatch[],
  rollup: RollupContract,
  blockNumber: bigint,
): Promise<ReadonlySet<ReadySettlement>> {
  const preVerified = new Set<ReadySettlement>();
  for (const settlement of batches.flatMap(({ settlements }) => settlements)) {
    const { settles } = settlement;
    if (settles === null) continue;
    if ((await rollup.preVerifiedSettlement(settles.modelId, settles.word, { blockNumber })) !== null)
      preVerified.add(settlement);
  }
  return preVerified;
}

/**
 * Batches with their settlements, as one call takes them: a batch's settlements go nowhere without it.
 * @param preVerified settlements that L1 has already
 */
function submissionOf(
  batches: readonly ReadyBatch[],
  circuitIndex: (name: string) => number,
  preVerified: ReadonlySet<ReadySettlement> = new Set(),
): ContractSubmission {
  const posted = <T extends { circuit: string; commitment: bigint; data: Hex }>(part: T) => ({
    circuit: circuitIndex(part.circuit),
    commitment: part.commitment,
    data: part.data,
  });
  const settlements = batches.flatMap((batch) => batch.settlements);
  const entriesOf = (one: ReadySettlement) => [one, ...one.further];
  const brought = settlements.filter((one) => !preVerified.has(one)).flatMap(entriesOf);
  return {
    batches: batches.map(posted),
    settlements: settlements.flatMap((one) =>
      preVerified.has(one) ? [TAKE_PRE_VERIFIED] : entriesOf(one).map(posted),
    ),
    proofs: [...batches, ...brought].map(({ proof }) => proof),
  };
}

/** The batches from `first` on without a gap. */
export function consecutive(ready: readonly ReadyBatch[], first: number): ReadyBatch[] {
  const rest = ready.filter((batch) => batch.batchNumber >= first);
  const end = rest.findIndex((batch, i) => batch.batchNumber !== first + i);
  return end < 0 ? rest : rest.slice(0, end);
}
