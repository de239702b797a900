/**
 * Blinding of a Groth16 proof by its witness, for all provers of ours.
 *
 * r blinds A = alpha + sum of A + r delta, and the sum of B in G1 enters a proof as a factor of r alone. A witness may blind
 * A instead: with a fresh random value on a private wire that has one entry in the key's A, which is not 0, a point in A that
 * is not at infinity, and no entry in its B, A has that value times a point of its own and is as uniform as by r. Then r is 0
 * and B is not summed in G1. C needs no rule: a back end gives only a proof that verifies, whose C follows from A and B.
 * `blindJob` sets such a value; whether the key makes a blinding of it, BlindingWires says, and ProvingKey::isBlindedBy of the
 * native addon, which reads keys by itself, in the same way. Where it does not, r stays.
 */
import { isComposition } from "@openledger/circuits/compiler/composed-copies";
import { randomScalar } from "./blinding.ts";
import type { ProofJob } from "./prover.ts";

/** Input of a composed circuit, which has a row `blinding * z` and reads it nowhere else (circuits/table/table-frame.circom). */
const BLINDING_INPUT = "blinding";

/** Whether a job's witness is ours to blind: of a composed circuit, made from inputs that have its own one. */
export const isBlindable = ({ circuit, inputs, witness }: ProofJob): boolean =>
  witness === undefined && inputs?.[BLINDING_INPUT] !== undefined && isComposition(circuit.wasmPath);

/**
 * Gives a composed circuit's own input a fresh random value. Another circuit's input of this name is its caller's, and so
 * is a witness that the job brings along.
 *
 * @returns the job to make the witness of, and the value; 0 where the job stays as it is
 */
export function blindJob(job: ProofJob): { job: ProofJob; ofWitness: bigint } {
  if (!isBlindable(job)) return { job, ofWitness: 0n };
  const ofWitness = randomScalar();
  return { job: { ...job, inputs: { ...job.inputs, [BLINDING_INPUT]: ofWitness } }, ofWitness };
}
