/**
 * Test support: what the parts of a table fix by what C absorbs of them, each part by itself and with any witness that its
 * rows allow. A batch's honest witness shows one case of each rule; a forger's may have a 0 in places in which that one has none.
 */
import { compileCircuit } from "../../compiler/compile.ts";
import { initPoseidon } from "../../field/poseidon.ts";
import { FIELD_ORDER } from "../../protocol.ts";
import { tableComposition } from "../../table/table-composition.ts";
import { CircuitTester } from "../circuit-tester.ts";
import { type Combination, type Row, readNames, readRows } from "../rows/r1cs-rows.ts";
import { SMALL_DEPTH, SMALL_TABLE } from "../table-world.ts";
import { BindingTable } from "./binding-table.ts";
import { demandTerms } from "./term-demands.ts";

export type PartSort = "transfer" | "member" | "row" | "unit";
const SORTS: readonly PartSort[] = ["transfer", "member", "row", "unit"];

/** Signals of a part that C absorbs, header included (table-frame.circom, phase F), by the part's names. */
const ABSORBED: Record<PartSort, RegExp> = {
  transfer: /^main\.(domain|feePerUnit|challenge)$/,
  member: /^main\.(domain|feePerUnit|challenge|newChain|packed)$/,
  row: /^main\.(oldSub|newSub|packed)$/,
  unit: /^main\.(packed|ref|rest|newRest)$/,
};
/**
 * Signals that must be fixed besides terms: ids and flags, elements of y, coefficients of the blob, and the
 * frame's summands.
 */
const SHOWN: Record<PartSort, RegExp> = {
  transfer: /^main\.(used|core|feeWei|bRef|[ab]Bits\[\d+\]|amountBits\[\d+\])$/,
  member:
    /^main\.(used|isPay|core|payload|feeWei|bRef|chain|open|[ab]Bits\[\d+\]|(amount|surplus|gap)Bits\[\d+\])$/,
  row: /^main\.(sub|first|isMember|new[A-Z]\w+|leaf\[\d\]|(id|asked)Bits\[\d+\])$/,
  unit: /^main\.(id|state\[\d\]|isUsed|isModel|(ready|approved)Bit|(id|asked|last|cap|count|epoch|price)Bits\[\d+\])$/,
};
const CHALLENGE = /^main\.(gamma|power\[\d\]|timePoint)$/;

export interface PartReport {
  /** Signals of terms and of SHOWN that C leaves free. */
  readonly free: readonly string[];
  /** Factors, by their rows, of which the witness is one case: BindingTable.leaned. */
  readonly cases: readonly (readonly [row: number, factor: Combination])[];
}

export class PartBinding {
  readonly tester: CircuitTester;
  readonly #sort: PartSort;
  readonly #rows: readonly Row[];
  readonly #names: ReadonlyMap<number, string>;
  readonly #wires: ReadonlyMap<string, number>;

  /** The part as every table has it; ids have two levels, as in SMALL_TABLE. */
  static async compile(sort: PartSort): Promise<PartBinding> {
    await initPoseidon();
    const spec = tableComposition(SMALL_TABLE, SMALL_DEPTH).parts[SORTS.indexOf(sort)]!;
    return new PartBinding(sort, await CircuitTester.load(await compileCircuit({ ...spec, keepSym: true })));
  }

  private constructor(sort: PartSort, tester: CircuitTester) {
    this.#sort = sort;
    this.tester = tester;
    this.#rows = readRows(tester.circuit.r1csPath);
    const { names, wires } = readNames(tester.circuit.symPath);
    this.#names = names;
    this.#wires = wires;
  }

  /** Rows that contain all of these wires. */
  rowsOf(...names: readonly string[]): number[] {
    const wires = names.map((name) => this.tester.wireOf(name));
    const isIn = ({ a, b, c }: Row) => wires.every((wire) => a.has(wire) || b.has(wire) || c.has(wire));
    return [...this.#rows.keys()].filter((i) => isIn(this.#rows[i]!));
  }

  /**
   * Reports the signals that C leaves free, given that C's elements are those of this witness.
   * @param without rows to leave out, to see what they are for
   */
  report(witness: readonly bigint[], without: readonly number[] = []): PartReport {
    const skipped = new Set(without);
    const table = new BindingTable(this.#rows, this.#names, witness, skipped);
    table.know(this.#named(ABSORBED[this.#sort]));
    const byC = new Set(table.fixed.keys());
    const challenges = this.#named(CHALLENGE);
    const live = this.#rows.filter((_, i) => !skipped.has(i));
    const { problems } = demandTerms(live, this.#names, {
      byC,
      challenges: new Set(challenges),
      gamma: this.tester.wireOf("main.gamma"),
      powers: new Set(this.#named(/^main\.power\[\d\]$/)),
    });
    const open = this.#named(SHOWN[this.#sort]).filter((wire) => !byC.has(wire));
    const shown = open.map((wire) => `${this.#names.get(wire)} is free after C`);
    return { free: [...problems, ...shown], cases: [...table.leaned] };
  }

  /** Factors of the reports that are 0 in none of the witnesses, or in all of them, by the names of the factored wires. */
  oneSided(reports: readonly PartReport[], witnesses: readonly (readonly bigint[])[]): string[] {
    const isZero = (side: Combination, witness: readonly bigint[]) =>
      [...side].reduce((sum, [wire, factor]) => sum + factor * witness[wire]!, 0n) % FIELD_ORDER === 0n;
    const namesOf = (side: Combination) =>
      [...side.keys()].map((wire) => this.#names.get(wire) ?? "1").join(" + ");
    return [...new Map(reports.flatMap(({ cases }) => cases))]
      .filter(([, factor]) => new Set(witnesses.map((witness) => isZero(factor, witness))).size < 2)
      .map(([i, factor]) => {
        const { a, b } = this.#rows[i]!;
        return `${namesOf(factor)}, which multiplies ${namesOf(factor === a ? b : a)}`;
      });
  }

  #named(pattern: RegExp): number[] {
    return [...this.#wires].filter(([name, wire]) => wire > 0 && pattern.test(name)).map(([, wire]) => wire);
  }
}
