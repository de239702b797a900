/**
 * Classification of L1's refusal of batches: the contract's error and its state decide the publisher's next
 * step and the reason that it reports to the sequencer. batch-publisher.ts calls it.
 */
import {
  type BlobSidecar,
  isBlobTransaction,
  unwrapBlobTransaction,
} from "@openledger/contracts/l1/blob-transaction";
import { type Address, type Hex, isAddressEqual, numberToHex, parseTransaction } from "viem";
import { type ContractRevert, l1Call, revertOf } from "../../l1/l1-client.ts";
import type { RollupContract } from "../../l1/rollup-contract.ts";
import { namedBlobs } from "../../l1/submission/named-blobs.ts";
import type { DropReason } from "../operator-client.ts";
import type { Attempt } from "./publish-intent.ts";

/**
 * Class of L1's refusal of a batch, as far as the publisher's next step depends on it:
 * - "stale": its time is too far back. Only closing it again helps.
 * - "overdue": it leaves overdue queue entries to later ones. Only another order helps.
 * - "early": L1's newest block is older than the batch. Time helps.
 * - "behind": L1 does not have the batch before it (again). Waiting helps.
 * - "superseded": L1 already has a batch of this number.
 * - "queue": it holds queue entries that L1 does not have: L1 took them back. The queue watcher sees that too, and the
 *   sequencer then makes other batches.
 * - "pre-verified": a settlement that it takes is not pre-verified any more: a reorganisation took it back. Sent again,
 *   the batch brings the settlement itself.
 * - "refused": anything else. Nothing that the publisher can do helps, if it is so at later blocks too.
 */
export type RefusalClass =
  | "stale"
  | "overdue"
  | "early"
  | "behind"
  | "superseded"
  | "queue"
  | "pre-verified"
  | "refused";

/**
 * Classifies a refusal by the contract's error and by the state it has.
 * @param l1BatchNumber Number of the last batch on L1
 * @param firstBatchNumber Number of the first batch that was refused
 */
export function classifyRefusal(
  revert: ContractRevert,
  l1BatchNumber: number,
  firstBatchNumber: number,
): RefusalClass {
  // The contract numbers batches itself: on a wrong place it sees no wrong number, but a proof that fails.
  if (l1BatchNumber >= firstBatchNumber) return "superseded";
  if (l1BatchNumber + 1 < firstBatchNumber) return "behind";
  if (revert.errorName === "RollupOverdueEntryLeft") return "overdue";
  if (revert.errorName === "RollupQueueMismatch") return "queue";
  if (revert.errorName === "SettlementNotPreVerified") return "pre-verified";
  if (revert.errorName !== "RollupTimestampInvalid") return "refused";
  const [timestamp, earliest] = revert.operands as [bigint, bigint, bigint];
  return timestamp < earliest ? "stale" : "early";
}

/**
 * Reason that the sequencer is told.
 * @param refusal null: mined without effect, though L1 would take the batches now.
 */
export function dropReason(refusal: RefusalClass | null): DropReason {
  switch (refusal) {
    case "stale":
      return "stale-timestamp";
    case "overdue":
      return "queue-overdue";
    case "superseded":
      return "superseded";
    case "refused":
      return "refused";
    case "early":
    case "behind":
    case "queue":
    case "pre-verified":
    case null:
      return "reorganised";
    default:
      return refusal satisfies never;
  }
}

/** Decodes the call that an attempt's signed transaction makes, and its blobs. */
export function callOf(attempt: Attempt): { to: Address; input: Hex; sidecars: readonly BlobSidecar[] } {
  const { sidecars, signed } = isBlobTransaction(attempt.raw)
    ? unwrapBlobTransaction(attempt.raw)
    : { signed: attempt.raw, sidecars: [] };
  const { data, to } = parseTransaction(signed);
  return { to: to!, input: data ?? "0x", sidecars };
}

/** A transaction of the account to itself that only uses its nonce. */
export const isFiller = (attempt: Attempt, account: Address): boolean =>
  isAddressEqual(callOf(attempt).to, account);

/**
 * Simulates an attempt's call.
 * @returns the class of the refusal and its reason, both as of one block: nodes lag
 * behind each other, and the state of one with the refusal of another gives false results. null: L1 takes it. An
 * errand's refusal is always "refused".
 */
export async function whyRefused(
  attempt: Attempt,
  modules: { rollup: RollupContract; from: Address },
  blockNumber: bigint,
): Promise<{ refusal: RefusalClass | null; reason: string | null }> {
  const { from, rollup } = modules;
  try {
    const { input, sidecars, to } = callOf(attempt);
    const { client } = rollup;
    await l1Call("take the transaction", async () => {
      const { blobVersionedHashes, maxFeePerBlobGas = 0n } = await namedBlobs(client, sidecars);
      if (blobVersionedHashes === undefined)
        return client.call({ account: from, to, data: input, blockNumber });
      // viem's `call` leaves out the blobs' names, so that the contract would miss them.
      const blobs = { blobVersionedHashes, maxFeePerBlobGas: numberToHex(maxFeePerBlobGas) };
      const call = { from, to, data: input, ...blobs };
      return client.request({ method: "eth_call", params: [call, numberToHex(blockNumber)] } as never);
    });
    return { refusal: null, reason: null };
  } catch (error) {
    const revert = revertOf(error);
    if (revert === null) throw error;
    const reason = revertText(revert);
    const first = attempt.batches[0];
    if (first === undefined) return { refusal: "refused", reason };
    const { batchNumber } = await rollup.state({ blockNumber });
    return { refusal: classifyRefusal(revert, batchNumber, first.batchNumber), reason };
  }
}

/** A revert as text: the error's name with its operands. */
export const revertText = ({ errorName, operands }: ContractRevert): string =>
  `${errorName}(${operands.join(", ")})`;
