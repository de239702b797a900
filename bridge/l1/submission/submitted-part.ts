import type { ContractProof } from "@openledger/circuits/wire/groth16-proof";
import type { Hex } from "viem";

/** A batch's or a settlement's part of a submission. */
export interface SubmittedPart {
  readonly data: Hex;
  /** null where it came in through another contract: its data is in an event, C and the proof are not. */
  readonly commitment: bigint | null;
  readonly proof: ContractProof | null;
}

export interface SubmittedSettlement extends SubmittedPart {
  readonly circuitIndex: number;
  /** The block in which it was pre-verified; null where it came with its batch. */
  readonly preVerifiedAtBlock: number | null;
}
