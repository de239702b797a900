import { describe, expect, it } from "vitest";
import { circuitSpec, payeeTableCircuitSpec, settlementCircuitSpec } from "./circuit-registry.ts";

describe("circuitSpec", () => {
  it("finds every sort of circuit by its name", () => {
    for (const [name, template] of [
      ["table-1-1-3-2-1-1-1", "TableBatch(8, 1, 1, 3, 2, 1, 1, 1, 86400, 0)"],
      ["settlement-8-4-4-4-2", "Settlement(8, 4, 4, 4, 2)"],
      ["sharded-3-3-3-2", "ShardedSettlement(3, 1, 3, 3, 43)"],
      ["direct-sharded-3-3-16-2", "ShardedSettlement(3, 1, 3, 3073, 46)"],
      ["shard-4-3-3-2", "Shard(4, 3, 3, 2)"],
      ["direct-9-16-4-4-4", "DirectSettlement(9, 16, 4, 4, 4)"],
      ["direct-shard-4-16-3-2", "DirectShard(4, 16, 3, 2)"],
      ["payee-table-16", "PayeeTable(16)"],
      ["leaf-exit", "LeafExit(8)"],
      ["payee-exit-16", "PayeeExit(8, 16)"],
    ] as const) {
      const spec = circuitSpec(name);
      expect(spec.name).toBe(name);
      expect(spec.mainSource).toContain(`component main {public [z]} = ${template};`);
    }
    const size = { rows: 8, features: 4, payees: 4, payments: 4, draws: 2 };
    expect(circuitSpec("settlement-8-4-4-4-2")).toEqual(settlementCircuitSpec(size));
    expect(circuitSpec("payee-table-16")).toEqual(payeeTableCircuitSpec(16));
  });

  it("knows no other names", () => {
    const names = [
      "table",
      "shard-4-16-3-2-shared",
      "direct-sharded-3-3-16-2-shared",
      "direct-shard-4-16-3-1-shared",
      "table-1-1-3-2-1-1",
      "table-1-1-3-2-1-1-1-1",
      "table-01-1-3-2-1-1-1",
      "table--1-1-3-2-1-1-1",
      "batch-6-2",
      "payee-table",
      "payee-table-4-4",
      "Table-1-1-3-2-1-1-1",
      "leaf-exit-1",
      "payee-exit",
      "payee-exit-4-4",
      "direct-shard-4-17-3-2",
      "direct-sharded-3-3-8-2",
      "direct-direct-shard-4-16-3-2",
      "direct-payee-table-4",
      "settlement-8-4-4-4",
      "settlement-8-4-4-4-2-2",
      "constructor-1-2",
      "settlement",
      "",
      "table-1-1-3-2-1-1-1 ",
    ];
    for (const name of names)
      expect(() => circuitSpec(name), name).toThrow(expect.objectContaining({ code: "CIR_CIRCUIT_UNKNOWN" }));
    for (const name of [
      "settlement-8-4-4-4-3",
      "settlement-0-4-4-4-2",
      "direct-shard-0-16-3-2",
      "direct-shard-4-16-3-3",
      "direct-sharded-3-9-16-2",
      "shard-4-4096-3-2",
      "payee-table-0",
      "payee-table-513",
      "payee-exit-0",
      "payee-exit-513",
    ])
      expect(() => circuitSpec(name), name).toThrow(expect.objectContaining({ code: "CIR_SETTLEMENT_SIZE" }));
  });
});
