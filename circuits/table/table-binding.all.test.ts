/** Shows for the whole batch circuit that the commitment C fixes every wire that soundness depends on. */
import { beforeAll, describe, expect, it } from "vitest";
import { TableWires } from "../testing/binding/table-wires.ts";
import type { CircuitTester } from "../testing/circuit-tester.ts";
import { shiftedDown } from "../testing/forgeries/field-aliases.ts";
import { RandomLedger } from "../testing/random-ledger.ts";
import type { Row } from "../testing/rows/r1cs-rows.ts";
import {
  fillTable,
  SMALL_BLOB_TABLE,
  SMALL_DEPTH,
  SMALL_TABLE,
  smallTableTester,
  tableWitness,
} from "../testing/table-world.ts";

const Z = 0x5eed_0000_1234_5678n;
let tester: CircuitTester;
let wires: TableWires;
let full: bigint[];
let sparse: bigint[];
beforeAll(async () => {
  tester = await smallTableTester();
  wires = new TableWires(tester);
  const witnessOf = async (operations: number) =>
    (
      await tableWitness(
        tester,
        fillTable(new RandomLedger(3, SMALL_DEPTH), SMALL_TABLE, operations),
        Z,
        SMALL_DEPTH,
      )
    ).witness;
  full = await witnessOf(30);
  sparse = await witnessOf(3);
}, 600_000);

const apart = (report: ReturnType<TableWires["report"]>) =>
  [...report.classes].filter(([, entry]) => entry.class === "apart").map(([wire]) => wires.names.get(wire)!);
/** The row that blinds a proof. Its two wires are free after C, and in no row beside it. */
const OF_BLINDING = ["main.blinding", "main.frame.blinded"];
/**
 * Signals of signatures: a key's y-coordinate, S, and all that the check computes from them and the
 * challenge. They are in no term.
 */
const OF_SIGNATURES = /\.head\.check\.|^main\.(transfer|member)Signature\[\d+\]\[[13]\]$/;

describe("the wires of a table batch", () => {
  it("are all fixed by C, but challenges, terms, y, the insides of signatures and blinding", () => {
    const report = wires.report(full);
    expect(report.problems).toEqual([]);
    expect(apart(report).filter((name) => !OF_SIGNATURES.test(name))).toEqual(OF_BLINDING);
  });

  it("cannot change alone, by one or to the aliases of scaled values", () => {
    const aliases = [24, 26, 96].map((shift) => shiftedDown(1n, shift));
    expect(tester.tamper(full, { only: () => true, aliasBits: [24, 96], aliases })).toEqual([]);
  });

  it("are fixed as far as terms need it where slots and units are null, too", () => {
    const report = wires.report(sparse);
    expect(report.problems).toEqual([]);
    const ofNulls = /\.head\.message\.|(transfer|member)(SlackBits|Signature)\[/;
    expect(apart(report).filter((name) => !OF_SIGNATURES.test(name) && !ofNulls.test(name))).toEqual(
      OF_BLINDING,
    );
  });

  it("are fixed likewise in a batch with a blob, and so are all coefficients of the blob", {
    timeout: 600_000,
  }, async () => {
    const ofBlob = await smallTableTester(SMALL_BLOB_TABLE);
    const closed = fillTable(new RandomLedger(3, SMALL_DEPTH), SMALL_BLOB_TABLE, 30);
    const { witness } = await tableWitness(ofBlob, closed, Z, SMALL_DEPTH);
    const table = new TableWires(ofBlob);
    const report = table.report(witness);
    expect(report.problems).toEqual([]);
    const named = (kind: string) =>
      [...report.classes].filter(([, entry]) => entry.class === kind).map(([wire]) => table.names.get(wire)!);
    expect(named("apart").filter((name) => !OF_SIGNATURES.test(name))).toEqual(OF_BLINDING);
    // Only the last limb's bits may be chosen, between two sums of the same limb.
    const bits = named("blob").filter((name) => /\.payload\[/.test(name));
    expect(bits.filter((name) => !/\.(isTop|rest\.(in|bit\[\d+\]))$/.test(name))).toEqual([]);
    const only = (name: string) => /^main\.(blob|memberPayload)/.test(name);
    const aliases = [36, 69, 92, 184].map((shift) => shiftedDown(1n, shift));
    expect(ofBlob.tamper(witness, { only, aliasBits: [69, 92, 184], aliases })).toEqual([]);
    // The last limb of a payload is free without its range.
    const range = table.rowsOf("main.blob[0].payload[0].rest.bit[1]");
    expect(table.report(witness, range).problems.join("\n")).toContain("of the blob is free after C");
  });

  it.each([
    // The elements that small fields share.
    ["members' surpluses and gaps", "main.frame.data.in[15]"],
    ["rows' counts and flags", "main.frame.data.in[30]"],
    ["a row's new subtree", "main.frame.rowNewSub[6]"],
    ["a unit's new rest", "main.frame.unitNewRest[0]"],
    ["a signature's challenge", "main.frame.transferChallenge[1]"],
  ])("leave terms to choose where C does not absorb %s", (_what, name) => {
    const isInput = (wire: number) =>
      /frame\.data\.hash\[\d+\]\.core\.f2\[0\]/.test(wires.names.get(wire) ?? "");
    const isAbsorbed = ({ a, c }: Row) => a.has(wires.wire(name)) && [...c.keys()].some(isInput);
    const without = wires.rowsOf(name, isAbsorbed);
    expect(without).toHaveLength(1);
    expect(wires.report(full, without).problems.join("\n")).toContain("is free after C");
  });
});
