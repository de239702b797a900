import { copyFileSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { type CompiledCircuit, compileCircuit } from "../compiler/compile.ts";
import { composeCircuit } from "../compiler/compose.ts";
import { readR1cs } from "../compiler/r1cs-reader.ts";
import { circuitSpec, tableCircuitSpec } from "../registry/circuit-registry.ts";
import { recordedCount } from "../testing/constraint-counts.ts";
import { compareTable, composeTable } from "../testing/rows/compose-equality.ts";
import { partConstraints, tableConstraints } from "../testing/table-counts.ts";
import { SMALL_BLOB_TABLE, SMALL_DEPTH, SMALL_TABLE, smallTableTester } from "../testing/table-world.ts";
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

describe("a composed batch", () => {
  it.each([
    ["that is posted", SMALL_TABLE],
    ["with a blob", SMALL_BLOB_TABLE],
  ])("%s has the rows that circom compiles, wire for wire", { timeout: 600_000 }, async (_which, shape) => {
    const { compiled, composed, difference } = await compareTable(shape);
    expect(difference).toMatchObject({ onlyComposed: 0, onlyCompiled: 0 });
    expect(composed.constraintCounts).toEqual(compiled.constraintCounts);
  });

  it("has one wire for each of circom's", { timeout: 600_000 }, async () => {
    const { compiled, composed, difference, match } = await compareTable(SMALL_TABLE);
    expect(difference.rowCount).toBe(readR1cs(compiled.r1csPath).constraintCount);
    expect([...match].sort((a, b) => a - b)).toEqual(Array.from(match, (_, wire) => wire));
    expect(composed.wireCount).toBe(compiled.wireCount);
    expect(composed.publicCount).toBe(compiled.publicCount);
  });

  it("differs from circom's in a row whose coefficient was altered", { timeout: 600_000 }, async () => {
    const composed = await composeTable(SMALL_TABLE);
    const folder = mkdtempSync(join(tmpdir(), "openledger-compose-"));
    try {
      const r1csPath = join(folder, "altered.r1cs");
      copyFileSync(composed.r1csPath, r1csPath);
      // The first coefficient of the middle row: 4 bytes of its side's count and 4 of its wire in front.
      let offset = 0;
      const bytes = readFileSync(r1csPath);
      const rowsAt = bytes.indexOf(Buffer.from([2, 0, 0, 0]), 24 + 32 + 28) + 12;
      const middle = readR1cs(r1csPath).constraintCount >> 1;
      let at = rowsAt;
      for (let row = 0; row <= middle; row++) {
        offset = at;
        for (let side = 0; side < 3; side++) at += 4 + 36 * bytes.readUInt32LE(at);
      }
      const file = openSync(r1csPath, "r+");
      writeSync(file, Buffer.from([bytes[offset + 8]! ^ 1]), 0, 1, offset + 8);
      const { difference } = await compareTable(SMALL_TABLE, { r1csPath });
      expect(difference).toMatchObject({ onlyComposed: 1, onlyCompiled: 1 });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("is refused where two slots change places", { timeout: 600_000 }, async () => {
    const composition = specOf(SMALL_TABLE).composition!;
    const copies = composition.copies.map((copy, i) =>
      i < 2 ? { ...copy, netOf: composition.copies[1 - i]!.netOf } : copy,
    );
    await expect(compareTable(SMALL_TABLE, { composition: { ...composition, copies } })).rejects.toThrow(
      /0 of circom's wires stand in the rows of the composed wire/,
    );
  });

  it("is the same file, byte for byte, wherever it is put together", { timeout: 600_000 }, async () => {
    const composed = await composeTable(SMALL_TABLE);
    const cacheDir = mkdtempSync(join(tmpdir(), "openledger-compose-"));
    try {
      const lines: string[] = [];
      const again = await composeCircuit(
        { name: "again", composition: specOf(SMALL_TABLE).composition! },
        {
          cacheDir,
          compilePart: (part) => compileCircuit({ ...part, keepSym: true }),
          onProgress: (line) => lines.push(line),
        },
      );
      expect(again.contentHash).toBe(composed.contentHash);
      expect(readFileSync(again.r1csPath).equals(readFileSync(composed.r1csPath))).toBe(true);
      expect(readFileSync(again.wasmPath, "utf8")).toBe(readFileSync(composed.wasmPath, "utf8"));
      const copyCount = specOf(SMALL_TABLE).composition!.copies.length;
      expect(lines.at(-1)).toBe(`again: 100 % of ${copyCount} parts put together`);
    } finally {
      rmSync(cacheDir, { recursive: true });
    }
  });

  it("has a content hash of its parts and its shape", { timeout: 600_000 }, async () => {
    const composed = await composeTable(SMALL_TABLE);
    const again = await compileCircuit({ ...specOf(SMALL_TABLE), name: "composed-again" });
    expect(again.contentHash).toBe(composed.contentHash);
    expect((await composeTable(SMALL_BLOB_TABLE)).contentHash).not.toBe(composed.contentHash);
  });

  it("has parts of the recorded sizes, and as many rows as computed", async () => {
    expect(countOf("transfer-slot-2")).toBe(recordedCount("TransferSlot(2)"));
    expect(countOf("member-slot-2")).toBe(recordedCount("MemberSlot(2)"));
    expect(countOf("leaf-row-1-2")).toBe(recordedCount("LeafRow(1, 2)"));
    expect(countOf("member-unit")).toBe(recordedCount("MemberUnit()"));
    const { transfer, member, row, unit, tree } = partConstraints(SMALL_TABLE, SMALL_DEPTH);
    const names = ["transfer-slot-2", "member-slot-2", "leaf-row-1-2", "member-unit", "table-tree-2-1-1"];
    const sizes = [transfer, member, row, unit, tree];
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
    // A blob takes what no transaction takes as calldata.
    expect(circuitSpec("table-1794-2046-9-8-2-1-2-blob").composition?.plan).toMatchObject({ blobs: 1 });
    const impossible = [
      "table-3-2-1-8-2-1-2",
      "table-1-1-256-2-1-1-1",
      "table-4-2-1-8-2-6-3",
      "table-4-2-1-0-2-1-2",
    ];
    // No deposit has a position; 135 KB of data, which no transaction takes.
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
