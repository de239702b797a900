import { describe, expect, test } from "vitest";
import { shapeName } from "../protocol.ts";
import { settlementCircuitName } from "../settlement/settlement-size.ts";
import { parseTableName, postedShape } from "../table/table-shape.ts";
import { SAMPLE_SHAPE } from "../testing/sample-shape.ts";
import {
  batchShape,
  batchSizes,
  exitSizes,
  hasOnlyBlobBatches,
  isNameOfSizes,
  settlingCircuits,
  sizesOfName,
  twinNameOf,
  unmatchedShardCircuit,
  withTwin,
} from "./circuit-sizes.ts";

const settlement = { sort: 1, size0: 300, size1: 16 };
const payeeTable = { sort: 2, size0: 0, size1: 16 };

describe("circuit sizes", () => {
  test("are a batch's shape there and back, and no shape for other sorts", () => {
    expect(batchShape(batchSizes(SAMPLE_SHAPE))).toEqual(SAMPLE_SHAPE);
    for (const sizes of [settlement, payeeTable, exitSizes(), exitSizes(16)]) {
      expect(() => batchShape(sizes)).toThrow(
        expect.objectContaining({
          code: "CIR_CIRCUIT_UNKNOWN",
          data: expect.objectContaining({ reason: "not-a-batch-circuit" }),
        }),
      );
    }
  });

  test("say the table of a batch, and by it its name", () => {
    const table = { members: 2_047, rows: 8_191, units: 8_191, low: 2, top: 6 };
    const shape = { narrow: 2_050, wide: 255, table };
    const sizes = batchSizes(shape);
    expect(batchShape(sizes)).toEqual(shape);
    const name = "table-3-2047-255-8191-8191-2-6";
    expect(shapeName(shape)).toBe(name);
    expect(postedShape(parseTableName(name)!)).toEqual(shape);
    expect(isNameOfSizes(name, sizes)).toBe(true);
    expect(isNameOfSizes(name, { ...sizes, tableSizes: sizes.tableSizes! + 1n })).toBe(false);
    const untabled = { sort: sizes.sort, size0: 2_050, size1: 255 };
    for (const tableSizes of [undefined, 0n])
      expect(() => batchShape({ ...untabled, tableSizes })).toThrow(
        expect.objectContaining({ code: "CIR_TABLE_SIZES_UNKNOWN" }),
      );
  });

  test("are chosen as single proofs before sharded ones, then by rows", () => {
    const names = [
      "direct-shard-4-16-3-2",
      "direct-9-16-4-4-2",
      "direct-sharded-3-3-16-2",
      "direct-8-16-4-4-2",
    ];
    const choices = settlingCircuits(names.map((name) => ({ name })));
    expect(choices.map(({ circuit, shard }) => [circuit.name, shard?.name])).toEqual([
      ["direct-8-16-4-4-2", undefined],
      ["direct-9-16-4-4-2", undefined],
      ["direct-sharded-3-3-16-2", "direct-shard-4-16-3-2"],
    ]);
    expect(unmatchedShardCircuit(names)).toBeUndefined();
  });

  test("say in one bit more that it has a blob", () => {
    const table = { members: 3, rows: 8, units: 2, low: 2, top: 1, isBlob: true };
    const shape = { narrow: 8, wide: 1, table };
    const sizes = batchSizes(shape);
    expect(batchShape(sizes)).toEqual(shape);
    expect(sizes.tableSizes! >> 45n).toBe(1n);
    const name = "table-5-3-1-8-2-2-1-blob";
    expect(postedShape(parseTableName(name)!)).toEqual(shape);
    expect(isNameOfSizes(name, sizes)).toBe(true);
    const { isBlob: _, ...posted } = table;
    expect(isNameOfSizes(name, batchSizes({ ...shape, table: posted }))).toBe(false);
    expect(parseTableName(`${name}s`)).toBeNull();
    // Attack: one more bit, which L1's rule for blobs does not check.
    for (const bit of [46n, 63n])
      expect(() => batchShape({ ...sizes, tableSizes: sizes.tableSizes! | (1n << bit) })).toThrow(
        expect.objectContaining({ code: "CIR_TABLE_SIZES_UNKNOWN" }),
      );
    const other = [settlement, exitSizes()];
    expect(hasOnlyBlobBatches([sizes, ...other])).toBe(true);
    expect(hasOnlyBlobBatches([sizes, batchSizes(SAMPLE_SHAPE), ...other])).toBe(false);
    expect(hasOnlyBlobBatches(other)).toBe(false);
  });

  test("name a batch circuit's twin, and add it once", () => {
    const [plain, blob] = ["table-5-3-1-8-2-2-1", "table-5-3-1-8-2-2-1-blob"];
    expect([plain, blob, "leaf-exit"].map((name) => twinNameOf(name!))).toEqual([blob, plain, null]);
    expect(withTwin([plain!, "leaf-exit"])).toEqual([plain, "leaf-exit", blob]);
    expect(withTwin([blob!, "leaf-exit"])).toEqual([blob, "leaf-exit", plain]);
    expect(withTwin([plain!, blob!, "leaf-exit"])).toEqual([plain, blob, "leaf-exit"]);
    // The twin is the first circuit's, which the sequencer closes with.
    expect(withTwin(["leaf-exit", plain!])).toEqual(["leaf-exit", plain]);
  });

  test("fit the names of the registry, each sort's only its own", () => {
    const name = settlementCircuitName({ rows: 64, features: 32, payees: 16, payments: 300, draws: 4 });
    const ofShards = ["direct-sharded-300-6-256-2", "direct-shard-64-256-16-2"];
    const shards = [6, 16].map((size1, i) => ({ sort: 4 + i, size0: [300, 0][i]!, size1 }));
    const names = [
      shapeName(SAMPLE_SHAPE),
      name,
      "payee-table-16",
      "leaf-exit",
      "payee-exit-16",
      ...ofShards,
    ];
    const all = [batchSizes(SAMPLE_SHAPE), settlement, payeeTable, exitSizes(), exitSizes(16), ...shards];
    expect(names.map(sizesOfName)).toEqual(all);
    expect(() => sizesOfName("shard-4-3-3")).toThrow(
      expect.objectContaining({ code: "CIR_CIRCUIT_UNKNOWN" }),
    );
    for (const [i, sizes] of all.entries()) {
      expect(names.map((n) => isNameOfSizes(n, sizes))).toEqual(names.map((_, position) => position === i));
    }
    expect(isNameOfSizes(name, { ...settlement, size0: 16, size1: 300 })).toBe(false);
    // Kinds of models have no sort of their own. But no shard of one kind is settled with draws of the other.
    expect(unmatchedShardCircuit(["direct-sharded-3-3-16-2", "direct-shard-4-16-3-2"])).toBeUndefined();
    expect(unmatchedShardCircuit(["direct-sharded-3-3-16-2", "shard-4-16-3-2"])).toBe(
      "direct-sharded-3-3-16-2",
    );
    for (const kind of ["", "direct-"]) {
      const ofShards = [`${kind}sharded-300-5-32-4`, `${kind}shard-64-32-16-4`];
      for (const [i, sizes] of [
        { sort: 4, size0: 300, size1: 5 },
        { sort: 5, size0: 0, size1: 16 },
      ].entries())
        expect(ofShards.map((n) => isNameOfSizes(n, sizes))).toEqual([i === 0, i === 1]);
    }
    expect(isNameOfSizes(`${name}-1`, settlement)).toBe(false);
    expect(isNameOfSizes("payee-exit-16", { sort: 3, size0: 2, size1: 16 })).toBe(false);
    expect(isNameOfSizes("leaf-exit", { sort: 3, size0: 0, size1: 16 })).toBe(false);
  });
});
