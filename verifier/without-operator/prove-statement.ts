/**
 * Makes the proof of a statement by a circuit's name, and checks that the proof's public signals are the statement's. Exits,
 * settlements and queue batches without the operator use it.
 */
import { bridgeError } from "@openledger/bridge/bridge-errors";
import type { CircuitInputs } from "@openledger/circuits/compiler/witness-calculator";
import {
  type ContractProof,
  type Groth16Proof,
  toContractProof,
} from "@openledger/circuits/wire/groth16-proof";

/**
 * Proves a statement by a circuit's name.
 * @param publicSignals expected C, y, z of the proof; a prover that finds others has other files
 */
export type ProveStatement = (
  circuit: string,
  inputs: CircuitInputs,
  publicSignals: readonly bigint[],
) => Promise<{ proof: Groth16Proof; publicSignals: readonly bigint[] }>;

/**
 * Proves a statement in the contract's form.
 * @throws BRG_PROOF_OF_ANOTHER if the prover's public signals are not C, y, z of the statement
 */
export async function proveStatement(
  prove: ProveStatement,
  circuit: string,
  inputs: CircuitInputs,
  { commitment, y, z }: { commitment: bigint; y: bigint; z: bigint },
): Promise<ContractProof> {
  const expected = [commitment, y, z];
  const { proof, publicSignals } = await prove(circuit, { ...inputs, z }, expected);
  if (expected.some((signal, i) => signal !== publicSignals[i])) {
    throw bridgeError("BRG_PROOF_OF_ANOTHER", `the proof by ${circuit} is of another statement`, {
      data: { circuit, expected, actual: [...publicSignals] },
    });
  }
  return toContractProof(proof);
}
