/** Types of a batch or settlement that was submitted to L1, as readers of L1 have it: posted data, commitment C and proof. */
import { decodeEntries, type PostedSettlement } from "@openledger/circuits/settlement/settlement-data";
import type { ContractProof } from "@openledger/circuits/wire/groth16-proof";
import { type Hex, hexToBytes } from "viem";

/** A batch's or a settlement's part of a submission. */
export interface SubmittedPart {
  readonly data: Hex;
  /** C; null where it came in through another contract: its data is in an event, C and the proof are not. */
  readonly commitment: bigint | null;
  readonly proof: ContractProof | null;
}

/** An entry behind a settlement's first: one of its shards. */
export interface SubmittedEntry extends SubmittedPart {
  /**
   * Index of the circuit; null where it came in through another contract: events name the first entry's circuit only.
   */
  readonly circuitIndex: number | null;
}

/** A settlement; its own part is that of its first entry. */
export interface SubmittedSettlement extends SubmittedPart {
  readonly circuitIndex: number;
  /** Further entries, in L1's order; empty for a settlement of one shard. */
  readonly further: readonly SubmittedEntry[];
  /** The block in which it was pre-verified; null where it came with its batch. */
  readonly preVerifiedAtBlock: number | null;
}

/** Decodes a settlement's posted bytes. @throws CIR_WIRE_MALFORMED */
export const postedBy = ({
  data,
  further,
}: Pick<SubmittedSettlement, "data" | "further">): PostedSettlement =>
  decodeEntries([data, ...further.map((entry) => entry.data)].map((hex) => hexToBytes(hex)));
