/**
 * Blinding of a Groth16 proof by its witness, for all provers of ours.
 *
 * r blinds A = alpha + sum of A + r delta, and the sum of B in G1 enters a proof as a factor of r alone. A witness may blind
 * A instead: with a fresh random value on a private wire that has one entry in the key's A and none in its B, A has that
 * value times a point of its own and is as uniform as by r. Then r is 0 and B is not summed in G1. `blindJob` sets such a
 * value; whether the key makes a blinding of it, BlindingWires says, and ProvingKey::isBlindedBy of the native addon, which
 * reads keys by itself, in the same way. Where it does not, r stays.
 */
import { isComposition } from "@openledger/circuits/compiler/composed-copies";
import { fieldBytes, toBytesLe } from "../formats/bn254-numbers.ts";
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

/** Private wires of a key with one entry in A and none in B. */
export class BlindingWires {
  readonly #publicCount: number;
  /** By wire: number of entries, 2 for more, and for any in B. */
  readonly #entries: Uint8Array;

  /** @param entries of another thread's instance; zeros for a key that is to be read */
  constructor(wireCount: number, publicCount: number, entries: Uint8Array = new Uint8Array(wireCount)) {
    this.#publicCount = publicCount;
    this.#entries = entries;
  }

  /** A byte a wire, which another thread makes an instance of. */
  get entries(): Uint8Array {
    return this.#entries;
  }

  /** @param matrix 0 for A, 1 for B */
  addEntry(matrix: number, wire: number): void {
    this.#entries[wire] = matrix === 0 && this.#entries[wire] === 0 ? 1 : 2;
  }

  /**
   * Says whether a value is one such wire's alone: then A is uniform.
   *
   * @param values the witness, 32 bytes a wire
   * @param blinding random value that the witness was made with; 0 if none
   */
  isBlindedBy(values: Uint8Array, blinding: bigint): boolean {
    if (blinding === 0n) return false;
    const wanted = Buffer.from(toBytesLe(blinding));
    const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
    const first = wanted.readUInt32LE(0);
    let found = -1;
    for (let wire = 0, at = 0; wire < this.#entries.length; wire++, at += fieldBytes) {
      if (bytes.readUInt32LE(at) !== first || wanted.compare(bytes, at, at + fieldBytes) !== 0) continue;
      if (found >= 0) return false;
      found = wire;
    }
    return found > this.#publicCount && this.#entries[found] === 1;
  }
}
