/** A circuit's constraints as tests evaluate them: many witnesses over the same rows. */
import { type R1csHeader, type R1csTerms, readFieldElement, readR1cs } from "../../compiler/r1cs-reader.ts";

const SIDES = ["a", "b", "c"] as const;
type SideName = (typeof SIDES)[number];

/** Side of all constraints: the terms of constraint i stand at starts[i] to starts[i + 1] - 1. */
interface Side {
  readonly starts: Uint32Array;
  readonly wires: number[];
  readonly coefficients: bigint[];
}

/** Values of each side for each constraint, modulo the prime up to a sign. */
export type SideValues = Readonly<Record<SideName, readonly bigint[]>>;

/** Contribution of one unit of a wire to the three sides of a constraint. */
export interface WireUse {
  readonly constraint: number;
  a: bigint;
  b: bigint;
  c: bigint;
}

export class ConstraintRows {
  readonly header: R1csHeader;
  readonly #sides: Readonly<Record<SideName, Side>>;
  /** The last witness that breaks no row: of one that differs in few wires, only rows with those can break. */
  #satisfying: readonly bigint[] | null = null;
  #rowsOfWires: { readonly starts: Uint32Array; readonly rows: Uint32Array } | null = null;

  /** @throws RollupError CIR_R1CS_MALFORMED */
  constructor(r1csPath: string) {
    this.header = readR1cs(r1csPath);
    const { constraintCount, fieldBytes, prime } = this.header;
    const makeSide = () => ({ starts: new Uint32Array(constraintCount + 1), wires: [], coefficients: [] });
    const sides: Record<SideName, Side> = { a: makeSide(), b: makeSide(), c: makeSide() };
    // Few coefficients are different ones: each is read once.
    const known = new Map<string, bigint>();
    const coefficientAt = (window: Buffer, at: number): bigint => {
      const bytes = window.toString("latin1", at, at + fieldBytes);
      let value = known.get(bytes);
      if (value === undefined) {
        value = nearestZero(readFieldElement(window, at, fieldBytes), prime);
        known.set(bytes, value);
      }
      return value;
    };
    const take = (side: Side, window: Buffer, { offset, termCount }: R1csTerms, constraint: number) => {
      for (let at = offset, i = 0; i < termCount; i++, at += 4 + fieldBytes) {
        side.wires.push(window.readUInt32LE(at));
        side.coefficients.push(coefficientAt(window, at + 4));
      }
      side.starts[constraint + 1] = side.wires.length;
    };
    readR1cs(r1csPath, (window, a, b, c, constraint) => {
      take(sides.a, window, a, constraint);
      take(sides.b, window, b, constraint);
      take(sides.c, window, c, constraint);
    });
    this.#sides = sides;
  }

  /** The first constraint that a witness breaks; null if it breaks none. */
  firstBroken(witness: readonly bigint[]): number | null {
    const { constraintCount, prime } = this.header;
    const values = this.#nearZero(witness);
    const { a, b, c } = this.#sides;
    const mayBreak = this.#satisfying === null ? null : this.#rowsWithChanges(this.#satisfying, values);
    for (let i = 0; i < constraintCount; i++) {
      if (mayBreak !== null && mayBreak[i] === 0) continue;
      const left = sumOf(a, i, values);
      const right = left === 0n ? 0n : sumOf(b, i, values);
      if (((left % prime) * (right % prime) - sumOf(c, i, values)) % prime !== 0n) return i;
    }
    this.#satisfying = values;
    return null;
  }

  /** Flags of the rows: 1 for every row that holds a wire whose value differs. */
  #rowsWithChanges(before: readonly bigint[], after: readonly bigint[]): Uint8Array {
    this.#rowsOfWires ??= this.#indexRows();
    const { rows, starts } = this.#rowsOfWires;
    const marks = new Uint8Array(this.header.constraintCount);
    for (let wire = 0; wire < after.length; wire++)
      if (before[wire] !== after[wire])
        for (let k = starts[wire]!; k < starts[wire + 1]!; k++) marks[rows[k]!] = 1;
    return marks;
  }

  #indexRows() {
    const { constraintCount, wireCount } = this.header;
    const sides = SIDES.map((name) => this.#sides[name]);
    const starts = new Uint32Array(wireCount + 1);
    for (const { wires } of sides) for (const wire of wires) starts[wire + 1]!++;
    for (let wire = 0; wire < wireCount; wire++) starts[wire + 1]! += starts[wire]!;
    const rows = new Uint32Array(starts[wireCount]!);
    const next = starts.slice(0, wireCount);
    for (const side of sides)
      for (let row = 0; row < constraintCount; row++)
        for (let k = side.starts[row]!; k < side.starts[row + 1]!; k++) rows[next[side.wires[k]!]!++] = row;
    return { starts, rows };
  }

  evaluate(witness: readonly bigint[]): SideValues {
    const { constraintCount, prime } = this.header;
    const values = this.#nearZero(witness);
    const all = (side: Side) =>
      Array.from({ length: constraintCount }, (_, i) => sumOf(side, i, values) % prime);
    return { a: all(this.#sides.a), b: all(this.#sides.b), c: all(this.#sides.c) };
  }

  /** Constraints that hold each wire, in order. The index is the wire. */
  usesOfWires(): (WireUse[] | undefined)[] {
    const { constraintCount, wireCount } = this.header;
    const usesOf = new Array<WireUse[] | undefined>(wireCount).fill(undefined);
    for (let constraint = 0; constraint < constraintCount; constraint++) {
      for (const name of SIDES) {
        const { coefficients, starts, wires } = this.#sides[name];
        for (let k = starts[constraint]!; k < starts[constraint + 1]!; k++) {
          usesOf[wires[k]!] ??= [];
          const uses = usesOf[wires[k]!]!;
          let use = uses.at(-1);
          if (use?.constraint !== constraint) {
            use = { constraint, a: 0n, b: 0n, c: 0n };
            uses.push(use);
          }
          use[name] = coefficients[k]!;
        }
      }
    }
    return usesOf;
  }

  /** Wires that the witness lacks are 0. */
  #nearZero(witness: readonly bigint[]): bigint[] {
    const { prime, wireCount } = this.header;
    return Array.from({ length: wireCount }, (_, wire) => nearestZero(witness[wire] ?? 0n, prime));
  }
}

/** The same element with the smallest absolute value: products with -1 are then as cheap as with 1. */
function nearestZero(element: bigint, prime: bigint): bigint {
  return element > prime >> 1n ? element - prime : element;
}

/** Sum of one side of a constraint, not reduced. */
function sumOf({ coefficients, starts, wires }: Side, constraint: number, values: readonly bigint[]): bigint {
  let sum = 0n;
  for (let k = starts[constraint]!; k < starts[constraint + 1]!; k++) {
    const value = values[wires[k]!]!;
    if (value !== 0n) sum += coefficients[k]! * value;
  }
  return sum;
}
