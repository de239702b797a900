import { describe, expect, test } from "vitest";
import { batchShape, batchSizes, isNameOfSizes } from "./circuit-sizes.ts";
import { SMALL_SHAPE, shapeName } from "./protocol.ts";
import { settlementCircuitName } from "./settlement-size.ts";

const settlement = { sort: 1, size0: 300, size1: 16 };
const slotTable = { sort: 2, size0: 0, size1: 16 };

describe("circuit sizes", () => {
  test("are a batch's shape there and back, and no shape for other sorts", () => {
    expect(batchShape(batchSizes(SMALL_SHAPE))).toEqual(SMALL_SHAPE);
    for (const sizes of [settlement, slotTable]) {
      expect(() => batchShape(sizes)).toThrow(expect.objectContaining({ code: "CIR_NOT_A_BATCH_CIRCUIT" }));
    }
  });

  test("fit the names of the registry, each sort's only its own", () => {
    const name = settlementCircuitName({ rows: 64, features: 32, slots: 16, payments: 300, draws: 4 });
    const names = [shapeName(SMALL_SHAPE), name, "slot-table-16"];
    for (const [i, sizes] of [batchSizes(SMALL_SHAPE), settlement, slotTable].entries()) {
      expect(names.map((n) => isNameOfSizes(n, sizes))).toEqual([0, 1, 2].map((place) => place === i));
    }
    expect(isNameOfSizes(name, { ...settlement, size0: 16, size1: 300 })).toBe(false);
    expect(isNameOfSizes(`${name}-1`, settlement)).toBe(false);
  });
});
