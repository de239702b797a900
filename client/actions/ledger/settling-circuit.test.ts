import { packBinding } from "@openledger/circuits/ledger/leaf";
import { modelShape } from "@openledger/circuits/settlement/settlement-size";
import { describe, expect, it } from "vitest";
import { activationMisfit, settlingCircuits } from "./settling-circuit.ts";

const NAMES = ["table-4-2-2-8-2-2-1", "settlement-16-16-8-8-4", "payee-table-16", "settlement-16-16-8-8-8"];
const INFO = {
  circuits: NAMES.map((name) => ({
    name,
    sort: 1,
    size0: 8,
    size1: 8,
    circuitId: "0x1" as const,
    isDevelopment: true,
  })),
};
const BINDING = {
  datanetId: 3n,
  version: 1n,
  rowCount: 9n,
  predecessorId: 0n,
  drawBits: 2n,
  featureCount: 16n,
};
const shapeOf = (changes: Partial<typeof BINDING>, payees = 5) =>
  modelShape(
    { binding: packBinding({ ...BINDING, ...changes }) },
    Array.from({ length: payees }, () => ({ rowCount: 1 })),
  );

describe("settlingCircuits", () => {
  it("names the circuits of the model's draws and features with room for its rows and payees", () => {
    expect(settlingCircuits(INFO, shapeOf({}))).toEqual(["settlement-16-16-8-8-4"]);
    expect(settlingCircuits(INFO, shapeOf({ drawBits: 3n }))).toEqual(["settlement-16-16-8-8-8"]);
    for (const changes of [{ drawBits: 1n }, { featureCount: 15n }, { rowCount: 17n }])
      expect(settlingCircuits(INFO, shapeOf(changes))).toEqual([]);
    expect(settlingCircuits(INFO, shapeOf({}, 9)), "payees").toEqual([]);
  });
});

describe("activationMisfit", () => {
  it("says what the named circuit has and the model has not", () => {
    expect(activationMisfit(INFO, 1, shapeOf({}))).toBeNull();
    expect(activationMisfit(INFO, 3, shapeOf({}))).toEqual({
      circuit: NAMES[3],
      what: "draws",
      given: 4,
      has: 8,
    });
    expect(activationMisfit(INFO, 1, shapeOf({ featureCount: 4n }))).toMatchObject({
      what: "features",
      has: 16,
    });
    expect(activationMisfit(INFO, 2, shapeOf({})), "no settlement circuit").toMatchObject({
      circuit: NAMES[2],
    });
    expect(activationMisfit(INFO, 9, shapeOf({})), "no circuit").toMatchObject({ circuit: "circuit 9" });
  });
});
