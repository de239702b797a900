/**
 * Test support: every wire of a batch's circuit in one of five classes. Soundness needs that each term's weight and
 * point are functions of C (docs/explanation/leaf-table.md, "What C fixes"); the classes come from the rows (binding-table.ts).
 */

import type { CircuitTester } from "../circuit-tester.ts";
import { type Combination, type Row, readNames, readRows } from "../rows/r1cs-rows.ts";
import { BindingTable, type Rule } from "./binding-table.ts";
import { demandTerms } from "./term-demands.ts";

/**
 * `C`: fixed by C alone. `challenge`: a function of z. `term`: an inverse, a product with a power of alpha, or a sum of such.
 * `y`: L1's polynomial. `blob`: the blob's polynomial at z, of coefficients that C fixes. `apart`: in no term; what is left of
 * signatures, and null slots' messages.
 */
type WireClass = "C" | "challenge" | "term" | "y" | "blob" | "apart";

/** Coefficients of the blob's polynomial: cores of 92 bits, and payloads in three limbs. */
const BLOB_COEFFICIENT =
  /^main\.blob\[0\]\.((transfer|member)Core\[\d+\]|memberPayload\[\d+\]|payload\[\d+\]\.limb\[\d\])$/;

interface WireReport {
  readonly classes: ReadonlyMap<number, { readonly class: WireClass; readonly rule: Rule | "open" }>;
  /** Faults of terms: each a weight or a point that C does not fix. Empty for a sound circuit. */
  readonly problems: readonly string[];
}

export class TableWires {
  readonly names: ReadonlyMap<number, string>;
  readonly #rows: readonly Row[];
  readonly #wires: ReadonlyMap<string, number>;
  readonly #equation: number;

  constructor(tester: CircuitTester) {
    this.#rows = readRows(tester.circuit.r1csPath);
    const { names, wires } = readNames(tester.circuit.symPath);
    this.names = names;
    this.#wires = wires;
    const sums = [this.wire("main.frame.treeSum"), this.wire("main.frame.rowSum[0]")];
    this.#equation = this.#rows.findIndex((row) => sums.every((wire) => usedBy(row).has(wire)));
  }

  wire(name: string): number {
    const wire = this.#wires.get(name);
    if (wire === undefined) throw new Error(`no wire ${name}`);
    return wire;
  }

  row(index: number): Row {
    return this.#rows[index]!;
  }

  /** Rows that a wire is in and that `keep` picks. */
  rowsOf(name: string, keep: (row: Row) => boolean = () => true): number[] {
    const wire = this.wire(name);
    return [...this.#rows.keys()].filter((i) => usedBy(this.#rows[i]!).has(wire) && keep(this.#rows[i]!));
  }

  /**
   * @param without rows that are taken out, to see what they are for
   * @param known names of wires that C fixes by what these rules do not say: y may need them, terms may not
   */
  report(
    witness: readonly bigint[],
    without: readonly number[] = [],
    known: RegExp | null = null,
  ): WireReport {
    const skipped = new Set([...without, this.#equation]);
    const table = new BindingTable(this.#rows, this.names, witness, skipped);
    table.know([this.wire("main.commitment")]);
    const byC = new Set(table.fixed.keys());
    const isKnown = ([name, wire]: readonly [string, number]) => wire > 0 && known?.test(name) === true;
    table.know([this.wire("main.z"), ...[...this.#wires].filter(isKnown).map(([, wire]) => wire)]);
    const challenges = new Set<number>([this.wire("main.z")]);
    for (const [wire, name] of this.names)
      if (/\.challenges\.|^main\.frame\.(gamma|power)|\.timePoint$/.test(name)) challenges.add(wire);
    const { terms, problems } = this.#terms(byC, challenges, skipped);
    for (const wire of terms)
      if (!table.fixed.has(wire)) problems.push(`${this.names.get(wire)} is not fixed`);
    for (const [name, wire] of this.#wires)
      if (BLOB_COEFFICIENT.test(name) && wire > 0 && !byC.has(wire))
        problems.push(`${name} of the blob is free after C`);
    const classes = new Map<number, { class: WireClass; rule: Rule | "open" }>();
    for (let wire = 1; wire < witness.length; wire++) {
      const rule = table.fixed.get(wire) ?? "open";
      const name = this.names.get(wire) ?? "";
      const isOfY = wire === this.wire("main.y") || /^main\.frame\.(horner|shifted)\[/.test(name);
      const kind = challenges.has(wire)
        ? "challenge"
        : terms.has(wire)
          ? "term"
          : byC.has(wire)
            ? "C"
            : isOfY
              ? "y"
              : /^main\.blob/.test(name)
                ? "blob"
                : "apart";
      if (kind === "y" && rule === "open") problems.push(`${name} is not fixed`);
      classes.set(wire, { class: kind, rule });
    }
    return { classes, problems };
  }

  /** Inverses, products and their sums; each weight and each coefficient of a point has to be fixed by C alone. */
  #terms(byC: ReadonlySet<number>, challenges: ReadonlySet<number>, skipped: ReadonlySet<number>) {
    const live = [...this.#rows.keys()].filter((i) => !skipped.has(i)).map((i) => this.#rows[i]!);
    const powers = new Set([...challenges].filter((w) => this.names.get(w)?.startsWith("main.frame.power[")));
    const gamma = this.wire("main.frame.gamma");
    const demands = demandTerms(live, this.names, { byC, challenges, powers, gamma });
    const { problems, products } = demands;
    const terms = new Set(demands.terms);
    const of = (side: Combination) => [...side.keys()].filter((wire) => wire !== 0);
    // Sums of terms, upwards to the equation's own wires.
    const pending = [...usedBy(this.#rows[this.#equation]!)].filter((wire) => wire !== 0);
    const linear = live.filter(({ a, b }) => of(a).length === 0 || of(b).length === 0);
    while (pending.length > 0) {
      const wire = pending.pop()!;
      if (terms.has(wire)) continue;
      terms.add(wire);
      const row = linear.find(({ c }) => c.has(wire) && c.size > 1 && !products.has(wire));
      if (row === undefined) problems.push(`${this.names.get(wire)} is no sum of terms`);
      else pending.push(...of(row.c).filter((other) => !terms.has(other)));
    }
    return { terms, problems };
  }

  /** Wires by class, with names without numbers, for a table of them. */
  summary({ classes }: WireReport): Map<string, { class: WireClass; rules: Set<string>; count: number }> {
    const groups = new Map<string, { class: WireClass; rules: Set<string>; count: number }>();
    for (const [wire, { class: kind, rule }] of classes) {
      const name = (this.names.get(wire) ?? "main").slice("main.".length).replaceAll(/\[\d+\]/g, "[]");
      const inner = /^(.*?)\.(core|check\.(?:byBase|byChallenge|key|double\[\]|sum|r8))\..*$/.exec(name);
      const key = inner === null ? name : `${inner[1]}.${inner[2]}.*`;
      const group = groups.get(`${kind} ${key}`) ?? { class: kind, rules: new Set<string>(), count: 0 };
      group.count += 1;
      group.rules.add(rule);
      groups.set(`${kind} ${key}`, group);
    }
    return groups;
  }
}

function usedBy({ a, b, c }: Row): Set<number> {
  return new Set([...a.keys(), ...b.keys(), ...c.keys()]);
}
