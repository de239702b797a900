/** Verification of a batch's proof, as by `openledger verify`, against the key that is registered on L1. */

import type { BatchEvent } from "@openledger/bridge/l1/l1-history";
import type { RegisteredCircuit } from "@openledger/bridge/l1/rollup-contract";
import { batchStatement, signalsOf } from "@openledger/circuits/blob/batch-statement";
import { fromContractProof } from "@openledger/circuits/wire/groth16-proof";
import { verifyDiffers } from "./verify-error.ts";
import { type VerifyProof, verifierKey } from "./verify-keys.ts";

/**
 * Verifies a batch's proof. If the batch came in through another contract, C and proof are not on L1: only
 * the contract has seen them, and nothing is verified.
 */
export async function requireBatchProof(
  { batch, circuitIndex, commitment, proof, versionedHash }: BatchEvent,
  registered: readonly RegisteredCircuit[],
  verifyProof: VerifyProof,
): Promise<void> {
  if (commitment === null || proof === null) return;
  const batchNumber = Number(batch.batchNumber);
  const circuit = registered[circuitIndex]!;
  const blobHash = versionedHash && BigInt(versionedHash);
  const statement = batchStatement(batch, circuit.circuitId, commitment, blobHash);
  const signals = signalsOf(statement);
  const isValid = await verifyProof(verifierKey(circuit), fromContractProof(proof), signals);
  if (!isValid) throw verifyDiffers({ batchNumber, what: "the proof", expected: "valid", actual: "invalid" });
}
