/** A settlement as it goes to L1 beside its batch: what is posted, and the proof of it. */
import type { Groth16Proof } from "@openledger/circuits/wire/groth16-proof";

export interface SettlementPosting {
  /** Name of the circuit. */
  readonly circuit: string;
  /** Wire form (docs/reference/settlement.md, "On L1"). */
  readonly wire: Uint8Array;
  /** C, y, z: the proof's public signals. */
  readonly publicSignals: readonly [bigint, bigint, bigint];
  readonly proof: Groth16Proof;
}
