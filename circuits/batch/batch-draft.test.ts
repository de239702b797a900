import { deserialize, serialize } from "node:v8";
import { beforeAll, describe, expect, it } from "vitest";
import { initPoseidon } from "../field/poseidon.ts";
import { hashLeaf } from "../ledger/leaf.ts";
import { rootFromPath } from "../ledger/ledger-tree.ts";
import { type ClosedTableBatch, TableBuilder } from "../table/table-builder.ts";
import { postedShape } from "../table/table-shape.ts";
import { RandomLedger } from "../testing/random-ledger.ts";
import { draftOf, openDraft } from "./batch-draft.ts";
import { batchInputs } from "./batch-inputs.ts";

const DEPTH = 2;
const SHAPE = postedShape({
  transfers: 2,
  members: 2,
  wide: 2,
  rows: 4,
  units: 1,
  low: 1,
  top: 1,
});

beforeAll(initPoseidon);

const closeBatch = (world: RandomLedger): ClosedTableBatch => {
  const builder = new TableBuilder(world.ledger, world.opening(SHAPE));
  world.fill(builder, SHAPE);
  return builder.close();
};

describe("openDraft", () => {
  it("gives the circuit the inputs that the batch itself gives it, also from the store and after later batches", () => {
    for (let seed = 1; seed <= 6; seed++) {
      const world = new RandomLedger(seed, DEPTH);
      const batches = Array.from({ length: 8 }, () => {
        const { batch: closed } = closeBatch(world);
        return { closed, stored: serialize(draftOf(closed)) };
      });
      for (const { closed, stored } of batches.reverse()) {
        const opened = openDraft(deserialize(stored));
        expect(batchInputs(opened, 5n, DEPTH)).toEqual(batchInputs(closed, 5n, DEPTH));
        expect(opened).toEqual(closed);
      }
    }
  });

  it("ends at the batch's new root, slot by slot from the root after the table", () => {
    const world = new RandomLedger(3, DEPTH);
    for (let i = 0; i < 10; i++) {
      const { batch, layout } = closeBatch(world);
      const { data, fee, wide } = openDraft(draftOf(batch));
      let root = layout.midRoot;
      for (const { oldRoot, newRoot } of wide) {
        expect(oldRoot).toBe(root);
        root = newRoot;
      }
      const paid = { ...fee.leaf, balance: fee.leaf.balance + fee.totalWei };
      expect(rootFromPath(fee.id, hashLeaf(fee.leaf), fee.children)).toBe(root);
      expect(rootFromPath(fee.id, hashLeaf(paid), fee.children)).toBe(data.newRoot);
    }
  });

  it("refuses traces that no ledger made", () => {
    const { batch } = closeBatch(new RandomLedger(1, DEPTH));
    expect(() => draftOf({ ...batch, wide: batch.wide.map((trace) => ({ ...trace })) })).toThrow(RangeError);
  });
});
