/** Tests of the batch circuit with wide slots, the slots of operations that the leaf table cannot hold. */
import { invertMod } from "@openledger/foundation/modular";
import { describe, expect, it } from "vitest";
import { FIELD_ORDER, KIND_RULES } from "../protocol.ts";
import { TableWires } from "../testing/binding/table-wires.ts";
import { RandomLedger } from "../testing/random-ledger.ts";
import { compareTable } from "../testing/rows/compose-equality.ts";
import type { Row } from "../testing/rows/r1cs-rows.ts";
import {
  mixTable,
  SMALL_DEPTH,
  SMALL_WIDE_TABLE,
  smallTableTester,
  tableWitness,
} from "../testing/table-world.ts";

/** Numbers of all kinds that a wide slot can hold, in the order of their flags; 0 is Null. */
const SLOT_KINDS = KIND_RULES.slice(1).map(({ kind }) => BigInt(kind));
const Z = 0x5eed_0000_1234_5678n;

let read: Promise<TableWires> | null = null;
function wideWires(): Promise<TableWires> {
  read ??= smallTableTester(SMALL_WIDE_TABLE).then((tester) => new TableWires(tester));
  return read;
}

describe("a table batch with two wide slots", () => {
  it("has the rows that circom compiles, wire for wire", { timeout: 900_000 }, async () => {
    const { compiled, composed, difference } = await compareTable(SMALL_WIDE_TABLE);
    expect(difference).toMatchObject({ onlyComposed: 0, onlyCompiled: 0 });
    expect(composed.constraintCounts).toEqual(compiled.constraintCounts);
  });

  it("fixes by C what the terms are made of, beside used wide slots and beside null ones", {
    timeout: 900_000,
  }, async () => {
    const tester = await smallTableTester(SMALL_WIDE_TABLE);
    const wires = await wideWires();
    for (const operations of [40, 1]) {
      const { closed } = mixTable(new RandomLedger(3, SMALL_DEPTH), SMALL_WIDE_TABLE, operations);
      expect(closed.batch.data.wide.filter(({ kind }) => kind !== 0)).toHaveLength(operations === 40 ? 2 : 0);
      const { witness } = await tableWitness(tester, closed, Z, SMALL_DEPTH);
      // The rules cannot tell which kind a core shows (the next test). Nor can they tell that the next id after the wide
      // slots has 25 bits: the old one has, and a slot adds 1 or 0, 1 only where its bId of 9 bits, or 24 in the deployed
      // tree, is the one before. So the header's packing, which C absorbs, fixes it. Terms need neither. With both known, y is fixed, whatever words a slot has.
      const byOtherRules = /^main\.(wideFlags\[|frame\.lastNextId$)/;
      expect(wires.report(witness, [], byOtherRules).problems).toEqual([]);
    }
  });

  // C absorbs a wide slot's core. Its row says that it is Σ kind · flag and multiples of 32 of ids, amount and validity, which are
  // sums of booleans: an integer below 2^94, so the low five bits are the sum of kinds. At most one flag is 1, by the
  // boolean row of their sum. So a core has one kind, and a kind one flag: the flags are functions of C.
  it("shows each wide slot's kind in the low five bits of its core", { timeout: 900_000 }, async () => {
    const wires = await wideWires();
    for (const slot of [0, 1]) {
      const flags = SLOT_KINDS.map((_, i) => wires.wire(`main.wideFlags[${slot}][${i}]`));
      const isFlag = (wire: number) => flags.includes(wire);
      const holdsFlags = ({ c }: Row) => flags.every((wire) => c.has(wire));
      const rowWith = (name: string) => {
        const found = wires.rowsOf(name, holdsFlags);
        expect(found).toHaveLength(1);
        const { a, b, c } = wires.row(found[0]!);
        expect([a.size, b.size]).toEqual([0, 0]);
        // The row's side that is not the named wire, which then has the factor -1.
        const own = c.get(wires.wire(name))!;
        const scale = FIELD_ORDER - invertMod(own, FIELD_ORDER);
        return new Map([...c].map(([wire, factor]) => [wire, (factor * scale) % FIELD_ORDER]));
      };
      const core = rowWith(`main.frame.wideCore[${slot}]`);
      const kinds = flags.map((wire) => core.get(wire)!);
      expect(kinds).toEqual(SLOT_KINDS);
      for (const [wire, factor] of core)
        if (!isFlag(wire) && wire !== wires.wire(`main.frame.wideCore[${slot}]`)) {
          const size = factor > FIELD_ORDER / 2n ? FIELD_ORDER - factor : factor;
          expect([size % 32n, size < 1n << 94n]).toEqual([0n, true]);
        }
      const used = wires.wire(`main.frame.wideIsUsed[${slot}]`);
      const sum = rowWith(`main.frame.wideIsUsed[${slot}]`);
      expect(new Map([...sum].filter(([wire]) => wire !== used))).toEqual(
        new Map(flags.map((wire) => [wire, 1n])),
      );
      const isBoolean = ({ a, b, c }: Row) =>
        c.size === 0 && [a, b].every((side) => side.has(used)) && [a, b].some((side) => side.size === 1);
      expect(wires.rowsOf(`main.frame.wideIsUsed[${slot}]`, isBoolean)).toHaveLength(1);
    }
  });
});
