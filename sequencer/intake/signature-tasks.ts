/** What the signature threads do, wherever they run: check users' signatures, sign preconfirmations. */

import {
  judgeSignatures,
  recoverPublicKey,
  type SignatureCheck,
} from "@openledger/circuits/field/curve/eddsa";
import type { PreconfirmationFacts } from "@openledger/circuits/wire/sequencer-preconfirmation";
import { Secret } from "@openledger/foundation/secret";
import type { Address, Hex } from "viem";
import {
  createPreconfirmationBatchSigner,
  type PreconfirmationBatchSigner,
} from "./signature-preconfirmations.ts";

export type PlainCheck = Omit<SignatureCheck, "keyY">;

/** Who signs preconfirmations, as it is given to a thread. */
export interface PreconfirmationIdentity {
  readonly chainId: number;
  readonly rollupAddress: Address;
  readonly privateKey: Hex;
}

/** Many tasks in one message: a message costs as much as a tenth of a task. */
export interface TaskBatch {
  readonly id: number;
  readonly checks: readonly PlainCheck[];
  readonly preconfirmations: readonly PreconfirmationFacts[];
}

export interface TaskAnswers {
  readonly id: number;
  /** For each check, whether its signature is good, what was hashed for it, and its key's y-coordinate where there is one. */
  readonly verdicts: readonly {
    readonly isValid: boolean;
    readonly challenge: bigint | null;
    readonly keyY: bigint | null;
  }[];
  readonly signatures: readonly Hex[];
}

export const preconfirmationSignerOf = ({
  privateKey,
  ...rollup
}: PreconfirmationIdentity): PreconfirmationBatchSigner =>
  createPreconfirmationBatchSigner(rollup, new Secret(privateKey));

/** `initPoseidon` must have been awaited. */
export function runTasks(batch: TaskBatch, signer: PreconfirmationBatchSigner): TaskAnswers {
  const judged = judgeSignatures(batch.checks);
  const verdicts = batch.checks.map(({ keyX }, i) => ({
    ...judged[i]!,
    keyY: recoverPublicKey(keyX)?.y ?? null,
  }));
  return { id: batch.id, verdicts, signatures: signer.signAll(batch.preconfirmations) };
}
