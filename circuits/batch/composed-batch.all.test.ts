import { copyFileSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type CompiledCircuit, compileCircuit } from "../compiler/compile.ts";
import { composeCircuit, partShape } from "../compiler/compose.ts";
import { type Composition, layOutComposition, type PartShape } from "../compiler/compose-layout.ts";
import { readR1cs } from "../compiler/r1cs-reader.ts";
import { batchCircuitSpec, circuitSpec, composedBatchSpec } from "../registry/circuit-registry.ts";
import { compareRows, matchWires } from "../testing/compose-equality.ts";
import { recordedCount } from "../testing/constraint-counts.ts";
import { SAMPLE_SHAPE } from "../testing/sample-shape.ts";

const DEPTH = 2;
const compileWith = (spec: { name: string; mainSource: string }) =>
  compileCircuit({ ...spec, keepSym: true });

async function compare(composition: Composition, composed: CompiledCircuit, compiled: CompiledCircuit) {
  const parts: CompiledCircuit[] = [];
  for (const part of composition.parts) parts.push(await compileWith(part));
  const layout = layOutComposition(composition, await Promise.all(parts.map(partShape)));
  const files = {
    r1csPath: composed.r1csPath,
    layout,
    partSymPaths: parts.map((part) => part.symPath),
    partWireCounts: parts.map((part) => part.wireCount),
  };
  const match = await matchWires(composition, files, compiled);
  return { match, rows: compareRows(composed.r1csPath, compiled.r1csPath, match) };
}

async function bothOf(shape: { narrow: number; wide: number }) {
  const spec = composedBatchSpec(shape, DEPTH);
  const composed = await compileCircuit({ ...spec, name: `composed-${spec.name}` });
  const compiled = await compileWith(batchCircuitSpec(shape, DEPTH));
  return { composition: spec.composition!, composed, compiled };
}

describe("a composed batch circuit", () => {
  it.each([
    { narrow: 0, wide: 1 },
    { narrow: 2, wide: 2 },
    { narrow: 4, wide: 1 },
  ])(
    "has the rows that circom compiles, wire for wire, for $narrow + $wide slots",
    {
      timeout: 600_000,
    },
    async (shape) => {
      const { composition, composed, compiled } = await bothOf(shape);
      const { match, rows } = await compare(composition, composed, compiled);
      expect(rows).toMatchObject({ onlyComposed: 0, onlyCompiled: 0 });
      expect(rows.rowCount).toBe(readR1cs(compiled.r1csPath).constraintCount);
      expect([...match].sort((a, b) => a - b)).toEqual(Array.from(match, (_, wire) => wire));
      expect(composed.constraintCounts).toEqual(compiled.constraintCounts);
      expect(composed.wireCount).toBe(compiled.wireCount);
      expect(composed.publicCount).toBe(compiled.publicCount);
    },
  );

  it("differs from circom's in a row whose coefficient was altered", { timeout: 600_000 }, async () => {
    const { composition, composed, compiled } = await bothOf({ narrow: 2, wide: 2 });
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
      const { rows } = await compare(composition, { ...composed, r1csPath }, compiled);
      expect(rows).toMatchObject({ onlyComposed: 1, onlyCompiled: 1 });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("differs from circom's where two slots change places", { timeout: 600_000 }, async () => {
    const { composition, composed, compiled } = await bothOf({ narrow: 2, wide: 2 });
    const copies = composition.copies.map((copy, i) =>
      i < 2 ? { ...copy, netOf: composition.copies[1 - i]!.netOf } : copy,
    );
    const { rows } = await compare({ ...composition, copies }, composed, compiled);
    expect(rows.onlyComposed).toBeGreaterThan(0);
    expect(rows.onlyCompiled).toBe(rows.onlyComposed);
  });

  it("is the same file, byte for byte, wherever it is put together", { timeout: 600_000 }, async () => {
    const { composition, composed } = await bothOf({ narrow: 2, wide: 2 });
    const cacheDir = mkdtempSync(join(tmpdir(), "openledger-compose-"));
    try {
      const lines: string[] = [];
      const again = await composeCircuit(
        { name: "again", composition },
        { cacheDir, compilePart: compileWith, onProgress: (line) => lines.push(line) },
      );
      expect(again.contentHash).toBe(composed.contentHash);
      expect(readFileSync(again.r1csPath).equals(readFileSync(composed.r1csPath))).toBe(true);
      expect(readFileSync(again.wasmPath, "utf8")).toBe(readFileSync(composed.wasmPath, "utf8"));
      expect(lines.at(-1)).toBe("again: 100 % of 5 parts put together");
    } finally {
      rmSync(cacheDir, { recursive: true });
    }
  });

  it("has a content hash of its parts and its shape", { timeout: 600_000 }, async () => {
    const { composed } = await bothOf({ narrow: 2, wide: 2 });
    const { composed: other } = await bothOf({ narrow: 4, wide: 1 });
    const spec = composedBatchSpec({ narrow: 2, wide: 2 }, DEPTH);
    expect((await compileCircuit({ ...spec, name: "composed-again" })).contentHash).toBe(
      composed.contentHash,
    );
    expect(other.contentHash).not.toBe(composed.contentHash);
  });

  it("has a frame of the recorded size", { timeout: 600_000 }, async () => {
    const { parts } = composedBatchSpec(SAMPLE_SHAPE).composition!;
    const { nonLinear, linear } = (await compileWith(parts.at(-1)!)).constraintCounts;
    expect(nonLinear + linear).toBe(recordedCount("BatchFrame(8, 8, 4)"));
  });

  it("is what the registry's names of batches stand for, of shapes that circom cannot compile too", () => {
    const { composition } = circuitSpec("batch-248-8");
    expect(composition?.copies).toHaveLength(248 + 8 + 1);
    expect(composition?.parts).toHaveLength(3);
    expect(circuitSpec("batch-0-8").composition?.parts).toHaveLength(2);
    for (const name of ["batch-3-1", "batch-2-0"])
      expect(() => circuitSpec(name)).toThrow(
        expect.objectContaining({
          code: "CIR_COMPOSITION_INVALID",
          data: expect.objectContaining({ reason: "shape-impossible" }),
        }),
      );
  });
});

describe("layOutComposition", () => {
  const part = (ports: string[], own: number, equalities: PartShape["equalities"] = []): PartShape => ({
    ports,
    wireCount: 1 + ports.length + own,
    outputCount: 1,
    equalities,
  });
  const chain: Composition = {
    parts: [{ name: "step", mainSource: "" }],
    copies: [0, 1, 2].map((i) => ({
      part: 0,
      component: `main.step[${i}]`,
      netOf: (port) => `state${port === "out" ? i + 1 : i}`,
    })),
    publicOutputs: ["state3"],
    publicInputs: ["state0"],
    plan: {},
  };

  it("gives shared nets one wire, public ones first, and every copy wires of its own", () => {
    expect(layOutComposition(chain, [part(["out", "in"], 10)])).toEqual({
      wireCount: 1 + 4 + 30,
      publicOutputCount: 1,
      publicInputCount: 1,
      copies: [
        { part: 0, ports: [3, 2], firstWire: 5 },
        { part: 0, ports: [4, 3], firstWire: 15 },
        { part: 0, ports: [1, 4], firstWire: 25 },
      ],
    });
  });

  it("joins the nets of ports that a part's rows say are equal", () => {
    const equal = [{ row: 7, ports: [0, 1] as const }];
    const open: Composition = { ...chain, publicOutputs: [], publicInputs: ["state0"] };
    const { copies, wireCount } = layOutComposition(open, [part(["out", "in"], 10, equal)]);
    expect(copies.map(({ ports }) => ports)).toEqual([
      [1, 1],
      [1, 1],
      [1, 1],
    ]);
    expect(wireCount).toBe(1 + 1 + 30);
    expect(() => layOutComposition(chain, [part(["out", "in"], 10, equal)])).toThrow(
      expect.objectContaining({ code: "CIR_COMPOSITION_INVALID" }),
    );
  });

  it("refuses public signals that no copy has, or that are named twice", () => {
    for (const publicInputs of [["state9"], ["state3"]])
      expect(() => layOutComposition({ ...chain, publicInputs }, [part(["out", "in"], 1)])).toThrow(
        expect.objectContaining({ code: "CIR_COMPOSITION_INVALID" }),
      );
  });
});
