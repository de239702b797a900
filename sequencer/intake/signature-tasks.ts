/** What the signature threads do, wherever they run: check users' signatures, sign receipts. */
import type { Address, Hex } from "viem";
import { recoverPublicKey, type SignatureClaim, verifySignatures } from "../../circuits/field/eddsa.ts";
import { Secret } from "../../circuits/secret.ts";
import type { ReceiptFacts } from "../../circuits/wire/sequencer-receipt.ts";
import { createReceiptBatchSigner, type ReceiptBatchSigner } from "./signature-receipts.ts";

export type PlainClaim = Omit<SignatureClaim, "keyY">;

/** Who signs receipts, as it is given to a thread. */
export interface ReceiptIdentity {
  readonly chainId: number;
  readonly rollupAddress: Address;
  readonly privateKey: Hex;
}

/** Many tasks in one message: a message costs as much as a tenth of a task. */
export interface TaskBatch {
  readonly id: number;
  readonly claims: readonly PlainClaim[];
  readonly receipts: readonly ReceiptFacts[];
}

export interface TaskAnswers {
  readonly id: number;
  /** For each claim, whether its signature is good, and the y-coordinate of its key where there is one. */
  readonly verdicts: readonly { readonly isValid: boolean; readonly keyY: bigint | null }[];
  readonly signatures: readonly Hex[];
}

export const receiptSignerOf = ({ privateKey, ...rollup }: ReceiptIdentity): ReceiptBatchSigner =>
  createReceiptBatchSigner(rollup, new Secret(privateKey));

/** `initPoseidon` must have been awaited. */
export function runTasks(batch: TaskBatch, signer: ReceiptBatchSigner): TaskAnswers {
  const isValid = verifySignatures(batch.claims);
  const verdicts = batch.claims.map(({ keyX }, i) => ({
    isValid: isValid[i]!,
    keyY: recoverPublicKey(keyX)?.y ?? null,
  }));
  return { id: batch.id, verdicts, signatures: signer.signAll(batch.receipts) };
}
