import { describe, expect, it } from "vitest";
import { circuitSpec, earnerTableCircuitSpec, settlementCircuitSpec } from "./circuit-registry.ts";

describe("circuitSpec", () => {
  it("finds every sort of circuit by its name", () => {
    for (const [name, template] of [
      ["batch-6-2", "LedgerBatch(8, 6, 2, 86400)"],
      ["batch-0-8", "LedgerBatch(8, 0, 8, 86400)"],
      ["settlement-8-4-4-4-2", "Settlement(8, 4, 4, 4, 2)"],
      ["earner-table-16", "EarnerTable(16)"],
      ["leaf-exit", "LeafExit(8)"],
      ["earner-exit-16", "EarnerExit(8, 16)"],
    ] as const) {
      const spec = circuitSpec(name);
      expect(spec.name).toBe(name);
      expect(spec.mainSource).toContain(`component main {public [z]} = ${template};`);
    }
    const size = { rows: 8, features: 4, earners: 4, payments: 4, draws: 2 };
    expect(circuitSpec("settlement-8-4-4-4-2")).toEqual(settlementCircuitSpec(size));
    expect(circuitSpec("earner-table-16")).toEqual(earnerTableCircuitSpec(16));
  });

  it("knows no other names", () => {
    const names = [
      ...[
        "batch",
        "batch-6",
        "batch-6-2-1",
        "batch-06-2",
        "batch--2",
        "earner-table",
        "earner-table-4-4",
        "Batch-6-2",
        "leaf-exit-1",
        "earner-exit",
        "earner-exit-4-4",
      ],
      ...["settlement-8-4-4-4", "settlement-8-4-4-4-2-2", "constructor-1-2", "settlement", "", "batch-6-2 "],
    ];
    for (const name of names)
      expect(() => circuitSpec(name), name).toThrow(expect.objectContaining({ code: "CIR_CIRCUIT_UNKNOWN" }));
    for (const name of [
      "settlement-8-4-4-4-3",
      "settlement-0-4-4-4-2",
      "earner-table-0",
      "earner-table-257",
      "earner-exit-0",
      "earner-exit-257",
    ])
      expect(() => circuitSpec(name), name).toThrow(expect.objectContaining({ code: "CIR_SETTLEMENT_SIZE" }));
  });
});
