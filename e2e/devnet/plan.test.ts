import type { RegisteredCircuit } from "@openledger/bridge/l1/rollup-contract";
import { TREE_DEPTH } from "@openledger/circuits/protocol";
import { dataTwins, hasOnlyBlobBatches } from "@openledger/circuits/registry/circuit-sizes";
import { tableIn } from "@openledger/circuits/table/table-shape";
import { tableConstraints } from "@openledger/circuits/testing/table-counts";
import {
  chooseBatchCircuit,
  chooseQueueCircuit,
} from "@openledger/verifier/internal/replay/settlement-circuits";
import { expect, it } from "vitest";
import { circuitsOf } from "./circuits.ts";
import { SMALL_TABLE } from "./config.ts";
import { planOf } from "./plan.ts";

/** Constraints of a wide slot: `npm run bench -- table`. */
const WIDE_SLOT = 27_107;

it("deploys a small batch beside the large one: what a stranger takes for the queue and for a settlement", () => {
  for (const hasBlobs of [false, true]) {
    const planned = circuitsOf(planOf("small", { hasBlobs }));
    const known = planned.map(({ spec }, i) => ({ name: spec.name, circuitId: BigInt(i) }));
    const registered = planned.map(({ sizes }, index) => ({ ...sizes, index, circuitId: BigInt(index) }));
    for (const choose of [chooseQueueCircuit, chooseBatchCircuit])
      expect(choose(registered as unknown as RegisteredCircuit[], known).name).toBe("table-1-1-3-2-1-1-1");
  }
  const constraints = tableConstraints(SMALL_TABLE, TREE_DEPTH, WIDE_SLOT);
  expect(constraints).toBe(108_582);
  expect(constraints + 4).toBeLessThan(2 ** 17);
});

it("deploys both circuits for a batch's data with blobs, in the same key's size, and one without", () => {
  const twinsOf = (hasBlobs: boolean) => {
    const circuits = circuitsOf(planOf("small", { hasBlobs })).map(({ sizes, spec }) => ({
      ...sizes,
      name: spec.name,
    }));
    expect(hasOnlyBlobBatches(circuits)).toBe(false);
    return dataTwins(circuits);
  };
  expect(twinsOf(false)).toMatchObject({ blob: null, calldata: { name: "table-10-6-5-20-6-1-2" } });
  expect(twinsOf(true)).toMatchObject({
    blob: { name: "table-10-6-5-16-6-1-2-blob" },
    calldata: { name: "table-10-6-5-16-6-1-2" },
  });
  const { table } = planOf("small", { hasBlobs: true });
  expect(tableConstraints(tableIn(table, "blob"), TREE_DEPTH, WIDE_SLOT)).toBeLessThan(2 ** 18);
});
