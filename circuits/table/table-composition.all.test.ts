import { beforeAll, describe, expect, it } from "vitest";
import { type CompiledCircuit, compileCircuit } from "../compiler/compile.ts";
import { circuitSpec, tableCircuitSpec } from "../registry/circuit-registry.ts";
import { recordedCount } from "../testing/constraint-counts.ts";
import { compareTable } from "../testing/table-equality.ts";
import { SMALL_BLOB_TABLE, SMALL_DEPTH, SMALL_TABLE, smallTableTester } from "../testing/table-world.ts";
import { partConstraints, tableConstraints } from "./table-counts.ts";
import type { TableShape } from "./table-shape.ts";

const SHAPES = [SMALL_TABLE, SMALL_BLOB_TABLE];
const specOf = (shape: TableShape) => tableCircuitSpec(shape, SMALL_DEPTH);
const parts = new Map<string, CompiledCircuit>();
const countOf = (name: string) => {
  const { nonLinear, linear } = parts.get(name)!.constraintCounts;
  return nonLinear + linear;
};
beforeAll(async () => {
  for (const part of SHAPES.flatMap((shape) => specOf(shape).composition!.parts))
    parts.set(part.name, await compileCircuit({ ...part, keepSym: true }));
}, 600_000);

describe("a composed table batch", () => {
  it.each([
    ["that is posted", SMALL_TABLE],
    ["with a blob", SMALL_BLOB_TABLE],
  ])("%s has the rows that circom compiles, wire for wire", { timeout: 600_000 }, async (_which, shape) => {
    const { compiled, composed, difference } = await compareTable(shape);
    expect(difference).toMatchObject({ onlyComposed: 0, onlyCompiled: 0 });
    expect(composed.constraintCounts).toEqual(compiled.constraintCounts);
  });

  it("has parts of the recorded sizes, and as many rows as computed", async () => {
    expect(countOf("transfer-slot-2")).toBe(recordedCount("TransferSlot(2)"));
    expect(countOf("member-slot-2")).toBe(recordedCount("MemberSlot(2)"));
    expect(countOf("leaf-row-1-2")).toBe(recordedCount("LeafRow(1, 2)"));
    expect(countOf("member-unit")).toBe(recordedCount("MemberUnit()"));
    const { transfer, member, row, unit, tree } = partConstraints(SMALL_TABLE, SMALL_DEPTH);
    const [names, sizes] = [
      ["transfer-slot-2", "member-slot-2", "leaf-row-1-2", "member-unit", "table-tree-2-1-1"],
      [transfer, member, row, unit, tree],
    ];
    expect(names.map(countOf)).toEqual(sizes);
    const { blob } = partConstraints(SMALL_BLOB_TABLE, SMALL_DEPTH);
    expect(countOf("blob-evaluation-4-2")).toBe(blob);
    for (const shape of SHAPES)
      expect((await smallTableTester(shape)).constraintCount).toBe(tableConstraints(shape, SMALL_DEPTH, 0));
  });

  it("is in the registry, by its seven sizes", () => {
    expect(circuitSpec("table-48-16-2-96-8-4-2").composition?.copies).toHaveLength(64 + 2 + 96 + 8 + 2);
    expect(circuitSpec("table-48-16-2-96-8-4-2-blob").composition).toMatchObject({
      publicInputs: ["z", "blobHalves[0]", "blobHalves[1]"],
    });
    // What no transaction takes as data, a blob takes.
    expect(circuitSpec("table-1794-2046-9-8-2-1-2-blob").composition?.plan).toMatchObject({ blobs: 1 });
    const impossible = ["table-3-2-1-8-2-1-2", "table-4-2-1-8-2-6-3", "table-4-2-1-0-2-1-2"];
    // No deposit has a place; 135 KB of data, which no transaction takes.
    const useless = ["table-4-2-0-8-2-1-2", "table-1794-2046-100-8-2-1-2"];
    for (const name of [...impossible, ...useless])
      expect(() => circuitSpec(name)).toThrow(
        expect.objectContaining({
          code: "CIR_COMPOSITION_INVALID",
          data: expect.objectContaining({ reason: "shape-impossible" }),
        }),
      );
  });
});
