/**
 * Test support: which wires of a circuit are fixed by what is known, and by which rule. Begins with known wires, C and later
 * z, and goes on with four rules until none applies:
 *
 *   linear    a row in which one wire alone is not fixed, and has a factor that is not 0
 *   bits      a linear row whose wires that are not fixed are bounded, each factor above all that the smaller ones can sum to
 *   preimage  a Poseidon hash of a fixed output: other inputs would be a collision
 *   gate      a boolean times a hash's output, where the product is fixed: not 0 says that the boolean is 1, and 0 that it is 0,
 *             since nobody knows a preimage of 0
 *   system    the inputs of such a hash, where they are combinations: the rows among them, solved together
 *
 * Values are those of one witness. What the rules say is that any other witness with the same known wires has the
 * same values there. A factor that is 0 in this one and not in others, or in others and not in this one, makes them other cases:
 * `leaned` lists such factors, and part-binding.test.ts asks about both cases of each. They read the circuit's rows, not its templates; of names they need those of Poseidon's inner wires.
 */
import { invertMod } from "@openledger/foundation/modular";
import { FIELD_ORDER as P } from "../../protocol.ts";
import type { Combination, Row } from "../rows/r1cs-rows.ts";

export type Rule = "known" | "linear" | "bits" | "preimage" | "gate" | "system";

const mod = (x: bigint) => ((x % P) + P) % P;

interface Hash {
  readonly path: string;
  /** Rows that square the permutation's inputs: their left sides are the inputs, the tag among them where it is a signal. */
  readonly inputRows: readonly number[];
  readonly tagRow: number | null;
  readonly output: number;
}

/** Rest of a row once fixed wires have their values: a linear equation, or null if it is not linear. */
interface Linear {
  readonly constant: bigint;
  readonly open: Map<number, bigint>;
  /** The fixed side that the other one is multiplied by. */
  readonly factor: Combination;
  readonly factored: Combination;
}

export class BindingTable {
  readonly fixed = new Map<number, Rule>();
  /**
   * Fixed factors, by their rows, of which a rule took it that they are 0, or that they are not. What the rules say is said
   * of witnesses that are the witness's equals in this; the others are cases of their own.
   */
  readonly leaned = new Map<number, Combination>();
  readonly #rows: readonly Row[];
  readonly #witness: readonly bigint[];
  readonly #rowsOf = new Map<number, number[]>();
  /** Largest value of a wire as an integer, where the circuit bounds it. */
  readonly #bounds = new Map<number, bigint>();
  /** Wires that can only have finitely many values, by a product of differences: leaves' tags. */
  readonly #finite = new Set<number>();
  readonly #hashes: Hash[] = [];
  readonly #openHashes: Hash[] = [];
  /**
   * Outputs of hashes under a constant tag: the only ones of which nobody knows a preimage of 0
   * (docs/explanation/leaf-table.md).
   */
  readonly #outputs = new Set<number>();
  readonly #queue = new Set<number>();

  /** @param skipped rows that no rule may use */
  constructor(
    rows: readonly Row[],
    names: ReadonlyMap<number, string>,
    witness: readonly bigint[],
    skipped: ReadonlySet<number> = new Set(),
  ) {
    this.#rows = rows.map((row, i) => (skipped.has(i) ? { a: new Map(), b: new Map(), c: new Map() } : row));
    this.#witness = witness;
    this.fixed.set(0, "known");
    for (const [i, row] of this.#rows.entries())
      for (const wire of new Set([...row.a.keys(), ...row.b.keys(), ...row.c.keys()])) {
        const list = this.#rowsOf.get(wire);
        if (list === undefined) this.#rowsOf.set(wire, [i]);
        else list.push(i);
      }
    this.#findBounds();
    this.#findHashes(names);
    for (const i of rows.keys()) this.#queue.add(i);
  }

  /** Adds known wires, and applies the rules until they add no more. */
  know(wires: Iterable<number>): void {
    for (const wire of wires) this.#fix(wire, "known");
    let isGrowing = true;
    while (isGrowing) {
      for (const i of this.#queue) {
        this.#queue.delete(i);
        this.#useRow(i);
      }
      isGrowing = this.#useHashes();
    }
  }

  #fix(wire: number, rule: Rule): void {
    if (this.fixed.has(wire)) return;
    this.fixed.set(wire, rule);
    for (const i of this.#rowsOf.get(wire) ?? []) this.#queue.add(i);
  }

  #fixBy(linear: Linear, row: number, rule: Rule): void {
    this.#lean(linear, row);
    this.#fixAll(linear.open.keys(), rule);
  }

  #lean({ factor, factored }: Linear, row: number): void {
    const isConstant = [...factor.keys()].every((wire) => wire === 0);
    if (!isConstant && !this.#isFixed(factored)) this.leaned.set(row, factor);
  }

  #value(side: Combination): bigint {
    let sum = 0n;
    for (const [wire, factor] of side) sum += factor * this.#witness[wire]!;
    return sum % P;
  }

  #isFixed(side: Combination): boolean {
    for (const wire of side.keys()) if (!this.fixed.has(wire)) return false;
    return true;
  }

  #linear({ a, b, c }: Row): Linear | null {
    const open = new Map<number, bigint>();
    let constant = 0n;
    const add = (side: Combination, by: bigint) => {
      for (const [wire, factor] of side) {
        const scaled = factor * by;
        if (this.fixed.has(wire)) constant += scaled * this.#witness[wire]!;
        else open.set(wire, (open.get(wire) ?? 0n) + scaled);
      }
    };
    const isByA = this.#isFixed(a);
    if (isByA) add(b, this.#value(a));
    else if (this.#isFixed(b)) add(a, this.#value(b));
    else return null;
    add(c, -1n);
    for (const [wire, factor] of open) {
      const reduced = mod(factor);
      if (reduced === 0n) open.delete(wire);
      else open.set(wire, reduced);
    }
    return { constant: mod(constant), open, factor: isByA ? a : b, factored: isByA ? b : a };
  }

  #useRow(i: number): void {
    const row = this.#rows[i]!;
    const linear = this.#linear(row);
    if (linear !== null) {
      const { open } = linear;
      if (open.size === 1) this.#fixBy(linear, i, "linear");
      else if (open.size > 1 && this.#isOneSum(open)) this.#fixBy(linear, i, "bits");
      return;
    }
    this.#useGate(row);
    // x (x − 1) = 0 for a combination x: one more boolean, with the factor −1.
    const boolean = booleanOf(row);
    if (boolean === null) return;
    const open = this.#openOf(boolean);
    const negated = new Map([...open].map(([wire, factor]) => [wire, mod(-factor)]));
    if (this.#isRising([[1n, 1n], ...this.#terms(negated)])) this.#fixAll(open.keys(), "bits");
    else if (this.#isRising([[1n, 1n], ...this.#terms(open)])) this.#fixAll(open.keys(), "bits");
  }

  #useGate({ a, b, c }: Row): void {
    if (!this.#isFixed(c)) return;
    for (const [gate, hashed] of [
      [a, b],
      [b, a],
    ] as const) {
      const [[flag] = [], [output] = []] = [[...gate.keys()], [...hashed.keys()]];
      if (gate.size !== 1 || hashed.size !== 1 || flag === undefined || output === undefined) continue;
      if (this.#bounds.get(flag) === 1n && this.#outputs.has(output)) this.#fix(flag, "gate");
    }
  }

  #fixAll(wires: Iterable<number>, rule: Rule): void {
    for (const wire of wires) this.#fix(wire, rule);
  }

  #terms(open: Iterable<readonly [number, bigint]>): [factor: bigint, bound: bigint | undefined][] {
    return [...open].map(([wire, factor]) => [factor, this.#bounds.get(wire)]);
  }

  /** True if a value is such a sum in one way only, whatever the scale of the factors. */
  #isOneSum(open: ReadonlyMap<number, bigint>): boolean {
    for (const wire of open.keys()) if (!this.#bounds.has(wire)) return false;
    const size = (x: bigint) => (x < P - x ? x : P - x);
    const [, base] = [...open].reduce((min, next) => (size(next[1]) < size(min[1]) ? next : min));
    const scale = invertMod(base, P);
    return this.#isRising(this.#terms([...open].map(([wire, factor]) => [wire, mod(factor * scale)])));
  }

  /**
   * True if each factor is above the largest sum of the smaller terms, and the largest sum of all is below r.
   */
  #isRising(terms: readonly (readonly [factor: bigint, bound: bigint | undefined])[]): boolean {
    let sum = 0n;
    for (const [factor, bound] of [...terms].sort(([x], [y]) => (x < y ? -1 : 1))) {
      if (bound === undefined || factor <= sum) return false;
      sum += factor * bound;
    }
    return sum < P;
  }

  #findBounds(): void {
    const cubes = new Map<number, number>();
    for (const row of this.#rows) {
      const boolean = booleanOf(row);
      if (boolean?.size === 1)
        for (const [wire, factor] of boolean) if (factor === 1n) this.#bounds.set(wire, 1n);
      const affine = (side: Combination) => [...side.keys()].filter((w) => w !== 0);
      const x = affine(row.a);
      const y = affine(row.b);
      const low = affine(row.c);
      if (x.length === 1 && y.length === 1 && x[0] === y[0] && low.length === 1 && low[0] !== x[0])
        cubes.set(low[0]!, x[0]!);
    }
    for (const { a, b, c } of this.#rows)
      for (const [left, right] of [
        [a, b],
        [b, a],
      ] as const) {
        const [low] = [...left.keys()];
        const wires = [...right.keys()].filter((w) => w !== 0);
        if (
          left.size === 1 &&
          wires.length === 1 &&
          cubes.get(low!) === wires[0] &&
          [...c.keys()].every((w) => w === 0)
        )
          this.#finite.add(wires[0]!);
      }
    for (let isGrowing = true; isGrowing; ) {
      isGrowing = false;
      for (const row of this.#rows) {
        const found = this.#boundOf(row);
        if (found === null || this.#bounds.has(found.wire)) continue;
        this.#bounds.set(found.wire, found.bound);
        isGrowing = true;
      }
    }
  }

  /**
   * Bound of a wire, from a row that states that the wire is a sum of bounded wires, or that the wire less
   * such a sum is a boolean. null for other rows.
   */
  #boundOf(row: Row): { wire: number; bound: bigint } | null {
    const boolean = booleanOf(row);
    const isBoolean = boolean !== null;
    const isConstant = (side: Combination) => [...side.keys()].every((w) => w === 0);
    let sum: Map<number, bigint>;
    if (isBoolean) sum = boolean;
    else if (isConstant(row.a) || isConstant(row.b)) {
      const [fixedSide, other] = isConstant(row.a) ? [row.a, row.b] : [row.b, row.a];
      const factor = fixedSide.get(0) ?? 0n;
      sum = new Map([...other].map(([wire, f]) => [wire, mod(f * factor)]));
      for (const [wire, f] of row.c) sum.set(wire, mod((sum.get(wire) ?? 0n) - f));
    } else return null;
    for (const [wire, factor] of sum) if (factor === 0n) sum.delete(wire);
    const unbounded = [...sum.keys()].filter((w) => w !== 0 && !this.#bounds.has(w));
    if (unbounded.length !== 1) return null;
    const wire = unbounded[0]!;
    const scale = isBoolean ? sum.get(wire)! : invertMod(sum.get(wire)!, P);
    if (isBoolean && scale !== 1n && scale !== P - 1n) return null;
    let bound = isBoolean ? 1n : 0n;
    for (const [other, factor] of sum) {
      if (other === wire) continue;
      const weight = mod(-factor * scale);
      if (weight >= 1n << 252n) return null;
      bound += weight * (other === 0 ? 1n : this.#bounds.get(other)!);
    }
    return bound < P ? { wire, bound } : null;
  }

  #findHashes(names: ReadonlyMap<number, string>): void {
    const squares = new Map<string, Map<number, number>>();
    const lasts = new Map<string, number>();
    const others = new Map<string, Set<number>>();
    for (const [wire, name] of names) {
      const square = /^(.*)\.f2\[0\]\[(\d+)\]$/.exec(name);
      if (square) {
        const list = squares.get(square[1]!) ?? new Map<number, number>();
        squares.set(square[1]!, list.set(Number(square[2]), wire));
      }
      const last = /^(.*)\.f3\[7\]\[0\]$/.exec(name);
      if (last) lasts.set(last[1]!, wire);
      const other = /^(.*)\.f5\[7\]\[\d+\]$/.exec(name);
      if (other) others.set(other[1]!, (others.get(other[1]!) ?? new Set()).add(wire));
    }
    for (const [path, wires] of squares) {
      const isSquare = (i: number, wire: number) => {
        const { a, c } = this.#rows[i]!;
        return c.size === 1 && c.has(wire) && !a.has(wire);
      };
      // A constant input has no such row.
      const rowOf = (wire: number) => this.#rowsOf.get(wire)!.find((i) => isSquare(i, wire));
      const last = lasts.get(path)!;
      const final = this.#rowsOf.get(last)!.find((i) => {
        const { a, b, c } = this.#rows[i]!;
        return (
          [a, b].some((side) => side.size === 1 && side.has(last)) &&
          [...c.keys()].some((wire) => others.get(path)!.has(wire))
        );
      })!;
      const output = [...this.#rows[final]!.c.keys()].filter((w) => w !== 0 && !others.get(path)!.has(w));
      if (output.length !== 1) throw new Error(`${path} has ${output.length} outputs`);
      this.#hashes.push({
        path,
        inputRows: [...wires.values()].flatMap((wire) => rowOf(wire) ?? []),
        tagRow: wires.has(0) ? (rowOf(wires.get(0)!) ?? null) : null,
        output: output[0]!,
      });
    }
    this.#openHashes.push(...this.#hashes);
    // Under a tag that could be anything, an output that is 0 says nothing.
    for (const { output, tagRow } of this.#hashes) if (tagRow === null) this.#outputs.add(output);
  }

  #useHashes(): boolean {
    let isGrowing = false;
    for (const hash of [...this.#openHashes]) {
      if (!this.fixed.has(hash.output)) continue;
      // Under a tag that could be anything, a hash binds nothing.
      const tag = hash.tagRow === null ? [] : [...this.#rows[hash.tagRow]!.a.keys()];
      if (!tag.every((wire) => this.fixed.has(wire) || this.#bounds.has(wire) || this.#isOneOfFew(wire)))
        continue;
      const equations = hash.inputRows.map((i) => this.#openOf(this.#rows[i]!.a));
      const size = this.fixed.size;
      for (const open of equations)
        if (open.size === 1) this.#fix([...open.keys()][0]!, "preimage");
        else if (open.size > 1 && this.#isOneSum(open)) this.#fixAll(open.keys(), "bits");
      const left = hash.inputRows.map((i) => this.#openOf(this.#rows[i]!.a)).filter((open) => open.size > 0);
      if (left.length > 0) this.#solve(left);
      else this.#openHashes.splice(this.#openHashes.indexOf(hash), 1);
      if (this.fixed.size > size) isGrowing = true;
    }
    return isGrowing;
  }

  /** True for a leaf's tag, and for a boolean times a fixed value. */
  #isOneOfFew(wire: number): boolean {
    if (this.#finite.has(wire)) return true;
    return this.#rowsOf.get(wire)!.some((i) => {
      const { a, b, c } = this.#rows[i]!;
      if (c.size !== 1 || !c.has(wire)) return false;
      const isFlag = (side: Combination) => side.size === 1 && this.#bounds.get([...side.keys()][0]!) === 1n;
      return (isFlag(a) && this.#isFixed(b)) || (isFlag(b) && this.#isFixed(a));
    });
  }

  #openOf(side: Combination): Map<number, bigint> {
    return new Map([...side].filter(([wire]) => !this.fixed.has(wire)));
  }

  /**
   * Solves equations of fixed value with the rows that are linear in their wires: fixes all wires that the
   * system determines.
   */
  #solve(equations: readonly ReadonlyMap<number, bigint>[]): void {
    const wires = new Set(equations.flatMap((equation) => [...equation.keys()]));
    const system: Map<number, bigint>[] = equations.map((equation) => new Map(equation));
    for (const i of new Set([...wires].flatMap((wire) => this.#rowsOf.get(wire)!))) {
      const linear = this.#linear(this.#rows[i]!);
      if (linear === null || linear.open.size === 0) continue;
      if (![...linear.open.keys()].every((wire) => wires.has(wire))) continue;
      this.#lean(linear, i);
      system.push(new Map(linear.open));
    }
    const solved: [number, Map<number, bigint>][] = [];
    for (const wire of wires) {
      const at = system.findIndex((equation) => equation.has(wire));
      if (at < 0) continue;
      const [pivot] = system.splice(at, 1);
      const scale = invertMod(pivot!.get(wire)!, P);
      const eliminate = (equation: Map<number, bigint>) => {
        const factor = equation.get(wire);
        if (factor === undefined) return;
        for (const [w, f] of pivot!) {
          const next = mod((equation.get(w) ?? 0n) - f * factor * scale);
          if (next === 0n) equation.delete(w);
          else equation.set(w, next);
        }
      };
      for (const equation of system) eliminate(equation);
      for (const [, equation] of solved) eliminate(equation);
      solved.push([wire, pivot!]);
    }
    for (const [wire, equation] of solved) if (equation.size === 1) this.#fix(wire, "system");
  }
}

/** Combination x of a row that states x (x − 1) = 0: a = ±x, b = ±(x − 1). Null for other rows. */
function booleanOf({ a, b, c }: Row): Map<number, bigint> | null {
  if ([...c.values()].some((factor) => factor !== 0n)) return null;
  const wires = new Set([...a.keys(), ...b.keys()]);
  wires.delete(0);
  if (wires.size === 0) return null;
  for (const x of [new Map(a), new Map([...a].map(([wire, factor]) => [wire, mod(-factor)]))])
    for (const sign of [1n, -1n]) {
      const isOther = [...wires].every(
        (wire) => mod((b.get(wire) ?? 0n) - sign * (x.get(wire) ?? 0n)) === 0n,
      );
      if (isOther && mod((b.get(0) ?? 0n) - sign * ((x.get(0) ?? 0n) - 1n)) === 0n) {
        // 1 − x is a boolean as well.
        const constant = mod(1n - (x.get(0) ?? 0n));
        if (constant !== 0n) return x;
        const other = new Map([...x].map(([wire, factor]) => [wire, mod(-factor)]));
        other.delete(0);
        return other;
      }
    }
  return null;
}
