/**
 * Derives from the constraints of a circuit's part a list of steps that computes its witness: most constraints ("rows") say
 * what one wire is once the others are known. compose.ts writes the steps beside a composed circuit,
 * prover/witness/step-runner.ts runs them.
 *
 * circom's own programs take microseconds for a constraint, most of them in divisions and in calls. The same rows, evaluated
 * for many copies at once, take a twentieth (prover/native/steps). Three hints of our templates are no rows, and are recognised:
 * the bits of range checks, those of a signature's challenge, and the points of its S. A part with any other hint has no steps.
 *
 * Nothing depends on the steps being right: rows that no step was made of are checked at the end, and every proof is verified.
 */

import { invertMod } from "@openledger/foundation/modular";
import { baseWindows, WINDOW_COUNT } from "../field/curve/base/signature-tables.ts";
import { FIELD_ORDER } from "../protocol.ts";
import { readSymbols } from "./compose-layout.ts";
import { readFieldElement, readR1cs } from "./r1cs-reader.ts";
import type { InputWires } from "./witness-calculator.ts";

const STEP = {
  product: 0,
  quotient: 1,
  bits: 2,
  basePoints: 3,
  challenge: 4,
  check: 5,
} as const;
/** Names the form of the bytes, in the hash of what has steps. Another form needs another name, "steps 2", and another MAGIC. */
export const STEPS_FORM = "steps 2";
const MAGIC = 0x32545352;

interface StepProgram {
  readonly inputs: readonly InputWires[];
  /** Program for prover/native/steps: header, constants, code. */
  readonly bytes: Buffer;
}

const mod = (x: bigint) => ((x % FIELD_ORDER) + FIELD_ORDER) % FIELD_ORDER;

/** Rows as three combinations each; a combination is a range of `wires` and `factors` (indices of constants). */
interface Rows {
  readonly starts: readonly number[];
  readonly wires: readonly number[];
  readonly factors: readonly number[];
}

class Constants {
  readonly values: bigint[] = [];
  readonly #indices = new Map<bigint, number>();
  /** Thousands of rows have the same few. */
  readonly #inverses = new Map<bigint, bigint>();

  constructor() {
    // The step runner knows these two by their place.
    this.index(1n);
    this.index(FIELD_ORDER - 1n);
  }

  index(value: bigint): number {
    let index = this.#indices.get(value);
    if (index === undefined) {
      index = this.values.length;
      this.values.push(value);
      this.#indices.set(value, index);
    }
    return index;
  }

  inverse(value: bigint): bigint {
    const known = this.#inverses.get(value) ?? invertMod(value, FIELD_ORDER);
    this.#inverses.set(value, known);
    return known;
  }
}

type Combination = (readonly [wire: number, factor: number])[];

/** Hint of a template, recognised by the name that circom gives the wire. */
interface Hint {
  readonly kind: "bit" | "highBit" | "signedV";
  readonly index: number;
}

class Deriver {
  readonly #rows: Rows;
  readonly #constants: Constants;
  readonly #hints: ReadonlyMap<number, Hint>;
  readonly #known: Uint8Array;
  /** Number of unknown wires of each row, each counted once. */
  readonly #open: Int32Array;
  readonly #used: Uint8Array;
  readonly #rowsOf: number[][];
  readonly #ready: number[] = [];
  /** Rows that determine their last wire by a division. */
  readonly #divisions: number[] = [];
  readonly code: number[] = [];

  constructor(rows: Rows, constants: Constants, hints: ReadonlyMap<number, Hint>, wireCount: number) {
    this.#rows = rows;
    this.#constants = constants;
    this.#hints = hints;
    this.#known = new Uint8Array(wireCount);
    const rowCount = (rows.starts.length - 1) / 3;
    this.#open = new Int32Array(rowCount);
    this.#used = new Uint8Array(rowCount);
    this.#rowsOf = Array.from({ length: wireCount }, () => []);
    for (let row = 0; row < rowCount; row++)
      for (let at = rows.starts[3 * row]!; at < rows.starts[3 * row + 3]!; at++) {
        const list = this.#rowsOf[rows.wires[at]!]!;
        if (list.at(-1) === row) continue;
        list.push(row);
        this.#open[row]!++;
      }
    for (let row = 0; row < rowCount; row++) if (this.#open[row] === 1) this.#ready.push(row);
  }

  know(wire: number): void {
    if (this.#known[wire] === 1) return;
    this.#known[wire] = 1;
    for (const row of this.#rowsOf[wire]!) if (--this.#open[row]! === 1) this.#ready.push(row);
  }

  /** Derives the steps. Returns true if every wire has one. */
  derive(): boolean {
    const hinted = this.#hintRows();
    // Divisions last: a row like (1 - used) · core = 0 says nothing where used = 1, and another row says what core is.
    do {
      for (let i = 0; i < this.#ready.length; i++) this.#solve(this.#ready[i]!, false);
      this.#ready.length = 0;
    } while (this.#useHints(hinted) || this.#divide());
    if (this.#known.includes(0)) return false;
    for (let row = 0; row < this.#used.length; row++) {
      if (this.#used[row] === 1) continue;
      this.code.push(STEP.check, row);
      for (const side of [0, 1, 2]) this.#emit(this.#side(row, side));
    }
    return true;
  }

  #side(row: number, side: number): Combination {
    const { starts, wires, factors } = this.#rows;
    const terms: [number, number][] = [];
    for (let at = starts[3 * row + side]!; at < starts[3 * row + side + 1]!; at++)
      terms.push([wires[at]!, factors[at]!]);
    return terms;
  }

  #emit(terms: Combination): void {
    this.code.push(terms.length);
    for (const [wire, factor] of terms) this.code.push(wire, factor);
  }

  /** Solves one row by a division. */
  #divide(): boolean {
    for (let row = this.#divisions.shift(); row !== undefined; row = this.#divisions.shift())
      if (this.#solve(row, true)) return true;
    return false;
  }

  #solve(row: number, mayDivide: boolean): boolean {
    if (this.#open[row] !== 1) return false;
    const sides = [0, 1, 2].map((side) => this.#side(row, side));
    let unknown = -1;
    for (const side of sides) for (const [wire] of side) if (this.#known[wire] === 0) unknown = wire;
    const factorIn = (side: Combination) =>
      side.reduce((sum, [wire, f]) => (wire === unknown ? mod(sum + this.#constants.values[f]!) : sum), 0n);
    const rest = sides.map((side) => side.filter(([wire]) => wire !== unknown));
    const [a, b, c] = sides.map(factorIn) as [bigint, bigint, bigint];
    if (a !== 0n && b !== 0n) return false;
    if (a === 0n && b === 0n) {
      if (c === 0n) return false;
      // unknown = (A B - C') / c
      this.code.push(STEP.product, unknown, this.#constants.index(this.#constants.inverse(c)));
      for (const terms of rest) this.#emit(terms);
    } else if (!mayDivide) {
      this.#divisions.push(row);
      return false;
    } else {
      // unknown = (C' - A' B) / (a B - c)
      const [factor, with_, other] = a !== 0n ? [a, rest[0]!, rest[1]!] : [b, rest[1]!, rest[0]!];
      this.code.push(STEP.quotient, unknown, this.#constants.index(factor), this.#constants.index(c));
      for (const terms of [with_, other, rest[2]!]) this.#emit(terms);
    }
    this.#used[row] = 1;
    this.know(unknown);
    return true;
  }

  /** Rows whose first combination has hinted wires: sums of bits or of digits. */
  #hintRows(): Set<number> {
    const rows = new Set<number>();
    for (const wire of this.#hints.keys()) for (const row of this.#rowsOf[wire]!) rows.add(row);
    return new Set(
      [...rows].filter((row) => this.#side(row, 0).filter(([wire]) => this.#hints.has(wire)).length > 1),
    );
  }

  #useHints(rows: Set<number>): boolean {
    let isGrowing = false;
    for (const row of rows) {
      const terms = this.#side(row, 0);
      const open = terms.filter(([wire]) => this.#known[wire] === 0);
      if (open.length === 0) rows.delete(row);
      if (open.length < 2 || !open.every(([wire]) => this.#hints.has(wire))) continue;
      const isChallenge = this.#hints.get(open[0]![0])!.kind === "highBit";
      if (!(isChallenge ? this.#takeChallenge(row, terms) : this.#takeHints(terms, open))) continue;
      rows.delete(row);
      isGrowing = true;
    }
    return isGrowing;
  }

  /** The row of NegatedChallengeMul: (known + constant - scaled bits of h above the low 128) · v = sum of ±v · 2^i. */
  #takeChallenge(row: number, terms: Combination): boolean {
    const hinted = (side: Combination, kind: Hint["kind"]) =>
      side.flatMap(([wire, factor]) => {
        const hint = this.#hints.get(wire);
        return hint?.kind === kind
          ? [{ wire, index: hint.index, factor: this.#constants.values[factor]! }]
          : [];
      });
    const [high, signed] = [hinted(terms, "highBit"), hinted(this.#side(row, 2), "signedV")];
    const [v, ...others] = this.#side(row, 1);
    if (v === undefined || others.length > 0 || this.#known[v[0]] === 0) return false;
    const scales = high.map(({ factor, index }) =>
      mod(-(2n ** BigInt(128 + index)) * this.#constants.inverse(factor)),
    );
    if (signed.length !== 128 || scales.some((scale) => scale !== scales[0])) return false;
    this.code.push(STEP.challenge, this.#constants.index(scales[0]!), v[0]);
    this.#emit(terms.filter(([wire]) => wire !== 0 && this.#known[wire] === 1));
    for (const wires of [high, signed]) {
      this.code.push(wires.length);
      for (const { wire, index } of wires) this.code.push(wire, index);
      for (const { wire } of wires) this.know(wire);
    }
    return true;
  }

  /** BasePoints's points, of the scalar that stands in one row of its own. */
  takeBasePoints(points: ReadonlyMap<number, readonly [u: number, v: number]>, square: number): boolean {
    const [row, ...others] = this.#rowsOf[square]!;
    const scalar = row === undefined || others.length > 0 ? undefined : this.#side(row, 0)[0]?.[0];
    if (scalar === undefined || this.#known[scalar] === 0 || points.size !== WINDOW_COUNT) return false;
    this.code.push(STEP.basePoints, scalar, points.size);
    for (const [i, window] of baseWindows().entries()) {
      const wires = points.get(i);
      if (wires === undefined) return false;
      this.code.push(...wires, ...window.flatMap(({ u, v }) => [u, v].map((c) => this.#constants.index(c))));
      for (const wire of wires) this.know(wire);
    }
    return true;
  }

  /** The combination, scaled, is a known value less the sum of bit · 2^i. */
  #takeHints(terms: Combination, open: Combination): boolean {
    const digits = open.map(([wire, factor]) => ({
      wire,
      ...this.#hints.get(wire)!,
      factor: this.#constants.values[factor]!,
    }));
    // A factor of 0 determines nothing about its wire.
    if (digits.some(({ factor }) => factor === 0n)) return false;
    const scaleOf = ({ factor, index }: (typeof digits)[number]) =>
      mod(-(2n ** BigInt(index)) * this.#constants.inverse(factor));
    const scale = scaleOf(digits[0]!);
    if (!digits.every((digit) => digit.kind === digits[0]!.kind && scaleOf(digit) === scale)) return false;
    this.code.push(STEP.bits, this.#constants.index(scale));
    this.#emit(terms.filter(([wire]) => this.#known[wire] === 1));
    this.code.push(digits.length);
    for (const { wire, index } of digits) this.code.push(wire, index);
    for (const { wire } of digits) this.know(wire);
    return true;
  }
}

function readRows(r1csPath: string, constants: Constants) {
  const starts: number[] = [0];
  const wires: number[] = [];
  const factors: number[] = [];
  const found = new Map<string, number>();
  const header = readR1cs(r1csPath, (window, a, b, c) => {
    for (const { termCount, offset } of [a, b, c]) {
      for (let i = 0, at = offset; i < termCount; i++, at += 36) {
        wires.push(window.readUInt32LE(at));
        const key = window.toString("latin1", at + 4, at + 36);
        let index = found.get(key);
        if (index === undefined) {
          index = constants.index(readFieldElement(window, at + 4, 32));
          found.set(key, index);
        }
        factors.push(index);
      }
      starts.push(wires.length);
    }
  });
  return { rows: { starts, wires, factors }, header };
}

/**
 * Derives a step for every wire. Returns null if a wire follows from no row and no known hint. @param symbols
 * circom's symbol file
 */
export function deriveSteps(r1csPath: string, symbols: string): StepProgram | null {
  const constants = new Constants();
  const { rows, header } = readRows(r1csPath, constants);
  const { wireCount, publicOutputCount, publicInputCount, privateInputCount } = header;
  const firstInput = 1 + publicOutputCount;
  const inputCount = publicInputCount + privateInputCount;
  const hints = new Map<number, Hint>();
  const basePoints = new Map<number, readonly [u: number, v: number]>();
  let square: number | null = null;
  const inputs = new Map<string, number[]>();
  for (const { wire, signal } of readSymbols(symbols)) {
    const hint = /\.(bit|highBit|signedV)(?:\[(\d+)\])?$/.exec(signal);
    if (hint) hints.set(wire, { kind: hint[1] as Hint["kind"], index: Number(hint[2] ?? 0) });
    const point = /\.base([UV])\[(\d+)\]$/.exec(signal);
    if (point) {
      const [u, v] = basePoints.get(Number(point[2])) ?? [0, 0];
      basePoints.set(Number(point[2]), point[1] === "U" ? [wire, v] : [u, wire]);
    }
    if (signal.endsWith(".scalarSquare")) square = wire;
    const input = /^main\.([A-Za-z]\w*)((?:\[\d+\])*)$/.exec(signal);
    if (input && wire >= firstInput && wire < firstInput + inputCount)
      inputs.set(input[1]!, [...(inputs.get(input[1]!) ?? []), wire]);
  }
  const listed = [...inputs].map(([name, wires]) => ({ name, firstWire: wires[0]!, count: wires.length }));
  const isInOrder = [...inputs.values()].every((wires) => wires.every((wire, i) => wire === wires[0]! + i));
  if (!isInOrder || listed.reduce((sum, { count }) => sum + count, 0) !== inputCount) return null;
  const deriver = new Deriver(rows, constants, hints, wireCount);
  for (const wire of [0, ...Array.from({ length: inputCount }, (_, i) => firstInput + i)]) deriver.know(wire);
  if (square !== null && !deriver.takeBasePoints(basePoints, square)) return null;
  if (!deriver.derive()) return null;
  return { inputs: listed, bytes: encode(header, constants.values, deriver.code) };
}

function encode(
  header: {
    wireCount: number;
    publicOutputCount: number;
    publicInputCount: number;
    privateInputCount: number;
  },
  constants: readonly bigint[],
  code: readonly number[],
): Buffer {
  const { wireCount, publicOutputCount, publicInputCount, privateInputCount } = header;
  const words = [
    MAGIC,
    wireCount,
    publicOutputCount,
    publicInputCount,
    privateInputCount,
    constants.length,
    code.length,
    0,
  ];
  const head = Buffer.from(Uint32Array.from(words).buffer);
  const values = Buffer.alloc(32 * constants.length);
  for (const [i, value] of constants.entries())
    for (let k = 0; k < 4; k++)
      values.writeBigUInt64LE((value >> BigInt(64 * k)) & 0xffff_ffff_ffff_ffffn, 32 * i + 8 * k);
  return Buffer.concat([head, values, Buffer.from(Uint32Array.from(code).buffer)]);
}
