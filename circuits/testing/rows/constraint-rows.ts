/** A circuit's constraints as tests evaluate them: many witnesses over the same rows. */
import { type R1csHeader, readFieldElement, readR1csRows } from "../../compiler/r1cs-reader.ts";

/** The three sides of a row, a · b = c. */
const SIDE_COUNT = 3;

/** Index of wires: from starts[wire] on the indices of its terms, and the sides that they are in. */
interface Offsets {
  readonly starts: Uint32Array;
  readonly terms: Uint32Array;
  readonly sides: Uint32Array;
}

export class ConstraintRows {
  readonly header: R1csHeader;
  /** Side s of row i has the terms from starts[3 i + s] on, up to the next side's. */
  readonly #starts: Uint32Array;
  readonly #wires: Uint32Array;
  /** For each term an index into `#coefficients`: few are different ones. */
  readonly #factors: Uint32Array;
  readonly #coefficients: readonly bigint[];
  /** The last witness that breaks no row: of one that differs in few wires, only rows with those can break. */
  #satisfying: readonly bigint[] | null = null;
  #readPositions: Offsets | null = null;

  /** @throws RollupError CIR_R1CS_MALFORMED */
  constructor(r1csPath: string) {
    const { header, bytes } = readR1csRows(r1csPath);
    const { constraintCount, fieldBytes, prime } = header;
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    const factorWords = fieldBytes / 4;
    const maxTerms = Math.ceil((words.length - SIDE_COUNT * constraintCount) / (1 + factorWords));
    const starts = new Uint32Array(SIDE_COUNT * constraintCount + 1);
    const wires = new Uint32Array(maxTerms);
    const factors = new Uint32Array(maxTerms);
    const coefficients: bigint[] = [];
    const firstAt: number[] = [];
    const known = new Map<number, number>();
    const factorAt = (at: number): number => {
      let hash = 0;
      for (let k = 0; k < factorWords; k++)
        hash = Math.imul(hash ^ words[at + k]!, 0x9e3779b1) ^ (hash >>> 15);
      for (; ; hash++) {
        const factor = known.get(hash);
        if (factor === undefined) break;
        let k = 0;
        while (k < factorWords && words[at + k] === words[firstAt[factor]! + k]) k++;
        if (k === factorWords) return factor;
      }
      known.set(hash, coefficients.length);
      firstAt.push(at);
      return coefficients.push(nearestZero(readFieldElement(bytes, 4 * at, fieldBytes), prime)) - 1;
    };
    let at = 0;
    let term = 0;
    for (let side = 0; side < SIDE_COUNT * constraintCount; side++) {
      for (let count = words[at++]!; count > 0; count--, at += 1 + factorWords) {
        wires[term] = words[at]!;
        factors[term++] = factorAt(at + 1);
      }
      starts[side + 1] = term;
    }
    this.header = header;
    this.#starts = starts;
    this.#wires = wires;
    this.#factors = factors;
    this.#coefficients = coefficients;
  }

  /** The first constraint that a witness breaks; null if it breaks none. */
  firstBroken(witness: readonly bigint[]): number | null {
    const { constraintCount, prime } = this.header;
    const values = this.#nearZero(witness);
    const mayBreak = this.#satisfying === null ? null : this.#rowsWithChanges(this.#satisfying, values);
    for (let i = 0; i < constraintCount; i++) {
      if (mayBreak !== null && mayBreak[i] === 0) continue;
      const left = this.#sumOf(SIDE_COUNT * i, values);
      const right = left === 0n ? 0n : this.#sumOf(SIDE_COUNT * i + 1, values);
      const result = this.#sumOf(SIDE_COUNT * i + 2, values);
      if (((left % prime) * (right % prime) - result) % prime !== 0n) return i;
    }
    this.#satisfying = values;
    return null;
  }

  /** Flags of the rows: 1 for every row that holds a wire whose value differs. */
  #rowsWithChanges(before: readonly bigint[], after: readonly bigint[]): Uint8Array {
    const { sides, starts } = this.#positions;
    const marks = new Uint8Array(this.header.constraintCount);
    for (let wire = 0; wire < after.length; wire++)
      if (before[wire] !== after[wire])
        for (let k = starts[wire]!; k < starts[wire + 1]!; k++) marks[Math.floor(sides[k]! / SIDE_COUNT)] = 1;
    return marks;
  }

  get #positions(): Offsets {
    if (this.#readPositions !== null) return this.#readPositions;
    const { constraintCount, wireCount } = this.header;
    const wires = this.#wires;
    const termCount = this.#starts.at(-1)!;
    const starts = new Uint32Array(wireCount + 1);
    for (let term = 0; term < termCount; term++) starts[wires[term]! + 1]!++;
    for (let wire = 0; wire < wireCount; wire++) starts[wire + 1]! += starts[wire]!;
    const terms = new Uint32Array(termCount);
    const sides = new Uint32Array(termCount);
    const next = starts.slice(0, wireCount);
    for (let side = 0; side < SIDE_COUNT * constraintCount; side++) {
      for (let term = this.#starts[side]!; term < this.#starts[side + 1]!; term++) {
        const position = next[wires[term]!]!++;
        terms[position] = term;
        sides[position] = side;
      }
    }
    this.#readPositions = { starts, terms, sides };
    return this.#readPositions;
  }

  /**
   * For one wire of a witness at a time: says of changes, which are not 0, whether no row notices them; null where some row notices
   * all. Each row is a polynomial of the change, and most are linear.
   */
  overlookedChanges(witness: readonly bigint[]): (wire: number) => ((change: bigint) => boolean) | null {
    const { prime } = this.header;
    const values = this.#nearZero(witness);
    const { sides, starts, terms } = this.#positions;
    const sums: bigint[] = [];
    const sumOf = (side: number) => (sums[side] ??= this.#sumOf(side, values) % prime);
    return (wire) => {
      const polynomials: { readonly square: bigint; readonly linear: bigint; readonly constant: bigint }[] =
        [];
      for (let k = starts[wire]!; k < starts[wire + 1]!; ) {
        const first = sides[k]! - (sides[k]! % SIDE_COUNT);
        const factors = [0n, 0n, 0n];
        for (; k < starts[wire + 1]! && sides[k]! < first + SIDE_COUNT; k++)
          factors[sides[k]! - first]! += this.#coefficients[this.#factors[terms[k]!]!]!;
        const [inA, inB, inC] = factors as [bigint, bigint, bigint];
        const [a, b, c] = [sumOf(first), sumOf(first + 1), sumOf(first + 2)];
        const square = (inA * inB) % prime;
        const linear = (inA * b + inB * a - inC) % prime;
        const constant = (a * b - c) % prime;
        if (square === 0n && constant === 0n && linear !== 0n) return null;
        polynomials.push({ square, linear, constant });
      }
      return (change) =>
        polynomials.every(
          ({ square, linear, constant }) => ((square * change + linear) * change + constant) % prime === 0n,
        );
    };
  }

  /** Wires that the witness lacks are 0. */
  #nearZero(witness: readonly bigint[]): bigint[] {
    const { prime, wireCount } = this.header;
    return Array.from({ length: wireCount }, (_, wire) => nearestZero(witness[wire] ?? 0n, prime));
  }

  /** Sum of one side of a constraint, not reduced. */
  #sumOf(side: number, values: readonly bigint[]): bigint {
    const wires = this.#wires;
    const factors = this.#factors;
    const coefficients = this.#coefficients;
    const end = this.#starts[side + 1]!;
    let sum = 0n;
    for (let k = this.#starts[side]!; k < end; k++) {
      const value = values[wires[k]!]!;
      if (value !== 0n) sum += coefficients[factors[k]!]! * value;
    }
    return sum;
  }
}

/** The same element with the smallest absolute value: products with -1 are then as cheap as with 1. */
function nearestZero(element: bigint, prime: bigint): bigint {
  return element > prime >> 1n ? element - prime : element;
}
