import { tableConstraints } from "@openledger/circuits/internal/table/table-counts";
import { TREE_DEPTH } from "@openledger/circuits/protocol";
import { hasOnlyBlobBatches } from "@openledger/circuits/registry/circuit-sizes";
import { dataTwins } from "@openledger/circuits/registry/data-twins";
import { tableIn } from "@openledger/circuits/table/table-shape";
import { expect, it } from "vitest";
import { circuitsOf } from "./circuits.ts";
import { planOf } from "./plan.ts";

/** Constraints of a wide slot: `npm run bench -- table`. */
const WIDE_SLOT = 25_608;

it("deploys both circuits for a batch's data with blobs, in the same key's size, and one without", () => {
  const twinsOf = (isDirect: boolean, hasBlobs: boolean) => {
    const circuits = circuitsOf(planOf("small", { isDirect, hasBlobs })).map(({ sizes, spec }) => ({
      ...sizes,
      name: spec.name,
    }));
    expect(hasOnlyBlobBatches(circuits)).toBe(false);
    return dataTwins(circuits);
  };
  expect(twinsOf(false, false)).toMatchObject({ blob: null, calldata: { name: "table-8-6-6-16-6-1-2" } });
  for (const isDirect of [false, true])
    expect(twinsOf(isDirect, true)).toMatchObject({
      blob: { name: "table-8-6-6-12-6-1-2-blob" },
      calldata: { name: "table-8-6-6-12-6-1-2" },
    });
  const { table } = planOf("small", { isDirect: false, hasBlobs: true });
  expect(tableConstraints(tableIn(table, "blob"), TREE_DEPTH, WIDE_SLOT)).toBeLessThan(2 ** 18);
});
