/** The rule by which a key says whether a value of the witness blinds A (witness-blinding.ts). Pages import it too. */
import { fieldBytes, scalarModulus, toBytesLe } from "../formats/bn254-numbers.ts";

/** r in 32-bit words, the lowest first. */
const MODULUS_WORDS = new Uint32Array(Uint8Array.from(toBytesLe(scalarModulus)).buffer);

/**
 * Private wires of a key with one entry in A that is not 0, a point in A that is not at infinity, and no entry in B.
 *
 * Attack: a key without that entry's value and point has the same verification key, and proofs verify. Its A would be the same
 * in each proof of a witness, if the value counted as its blinding.
 */
export class BlindingWires {
  readonly #publicCount: number;
  /** By wire: 1 for one entry that blinds, 2 for more entries, any in B, one of 0 and one without a point. */
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

  /**
   * @param matrix 0 for A, 1 for B
   * @param words has the entry's value, in eight words from `valueAt` on
   */
  addEntry(matrix: number, wire: number, words: Uint32Array, valueAt: number): void {
    const isFirst = matrix === 0 && this.#entries[wire] === 0;
    this.#entries[wire] = isFirst && isFactor(words, valueAt) ? 1 : 2;
  }

  /** @param finite wires whose points in A are not at infinity, in ascending order */
  keepFinite(finite: Uint32Array): void {
    let at = 0;
    for (let wire = 0; wire < this.#entries.length; wire++) {
      while (at < finite.length && finite[at]! < wire) at++;
      if (finite[at] !== wire && this.#entries[wire] === 1) this.#entries[wire] = 2;
    }
  }

  /**
   * Says whether a value is one such wire's alone: then A is uniform.
   *
   * @param values the witness, 32 bytes a wire
   * @param blinding random value that the witness was made with; 0 if none
   */
  isBlindedBy(values: Uint8Array, blinding: bigint): boolean {
    if (blinding === 0n) return false;
    const expected = Buffer.from(toBytesLe(blinding));
    const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
    const first = expected.readUInt32LE(0);
    let found = -1;
    for (let wire = 0, at = 0; wire < this.#entries.length; wire++, at += fieldBytes) {
      if (bytes.readUInt32LE(at) !== first || expected.compare(bytes, at, at + fieldBytes) !== 0) continue;
      if (found >= 0) return false;
      found = wire;
    }
    return found > this.#publicCount && this.#entries[found] === 1;
  }
}

/** Whether a value is between 0 and r: a multiple of r is 0, too. */
function isFactor(words: Uint32Array, at: number): boolean {
  for (let k = MODULUS_WORDS.length - 1; k >= 0; k--) {
    const [word, limit] = [words[at + k]!, MODULUS_WORDS[k]!];
    if (word > limit) return false;
    if (word < limit) return words.subarray(at, at + MODULUS_WORDS.length).some((each) => each !== 0);
  }
  return false;
}
