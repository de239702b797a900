/** Test support: a circuit's rows as maps from wire to coefficient, with the names of its wires. */
import { readFileSync } from "node:fs";
import { readSymbols } from "../../compiler/compose-layout.ts";
import { type R1csTerms, readFieldElement, readR1cs } from "../../compiler/r1cs-reader.ts";

/** Wire to coefficient; wire 0 is the constant 1. */
export type Combination = ReadonlyMap<number, bigint>;

/** a · b = c. */
export interface Row {
  readonly a: Combination;
  readonly b: Combination;
  readonly c: Combination;
}

const TERM_BYTES = 36;

export function readRows(r1csPath: string): Row[] {
  const rows: Row[] = [];
  readR1cs(r1csPath, (window, ...sides) => {
    const [a, b, c] = (sides.slice(0, 3) as R1csTerms[]).map(({ termCount, offset }) => {
      const terms = new Map<number, bigint>();
      for (let at = offset; at < offset + termCount * TERM_BYTES; at += TERM_BYTES)
        terms.set(window.readUInt32LE(at), readFieldElement(window, at + 4, 32));
      return terms;
    });
    rows.push({ a: a!, b: b!, c: c! });
  });
  return rows;
}

/** The first name of every wire that has one, and the wire of every name. */
export function readNames(symPath: string): { names: Map<number, string>; wires: Map<string, number> } {
  const names = new Map<number, string>();
  const wires = new Map<string, number>();
  for (const { wire, signal } of readSymbols(readFileSync(symPath, "utf8"))) {
    wires.set(signal, wire);
    if (!names.has(wire)) names.set(wire, signal);
  }
  return { names, wires };
}
