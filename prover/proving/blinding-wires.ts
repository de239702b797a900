/** The rule by which a key says whether a value of the witness blinds A (witness-blinding.ts). Pages import it too. */
import { fieldBytes, toBytesLe } from "../formats/bn254-numbers.ts";

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
