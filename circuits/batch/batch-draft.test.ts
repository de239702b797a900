import { deserialize, serialize } from "node:v8";
import { beforeAll, describe, expect, it } from "vitest";
import { initPoseidon } from "../field/poseidon.ts";
import { hashLeaf } from "../ledger/leaf.ts";
import { rootFromPath } from "../ledger/ledger-tree.ts";
import { RandomLedger } from "../testing/random-ledger.ts";
import { BatchBuilder, type ClosedBatch } from "./batch.ts";
import { draftOf, openDraft } from "./batch-draft.ts";
import { batchInputs } from "./batch-inputs.ts";

const DEPTH = 2;
const SHAPE = { narrow: 3, wide: 2 };

beforeAll(initPoseidon);

const closeBatch = (world: RandomLedger): ClosedBatch => {
  const builder = new BatchBuilder(world.ledger, world.opening(SHAPE));
  world.fill(builder, SHAPE);
  return builder.close();
};

describe("openDraft", () => {
  it("gives the circuit the inputs that the batch itself gives it, also from the store and after later batches", () => {
    for (let seed = 1; seed <= 6; seed++) {
      const world = new RandomLedger(seed, DEPTH);
      const batches = Array.from({ length: 8 }, () => {
        const closed = closeBatch(world);
        return { closed, stored: serialize(draftOf(closed)) };
      });
      for (const { closed, stored } of batches.reverse()) {
        const opened = openDraft(deserialize(stored));
        expect(batchInputs(opened, 5n, DEPTH)).toEqual(batchInputs(closed, 5n, DEPTH));
        expect(opened).toEqual(closed);
      }
    }
  });

  it("ends at the batch's new root, slot by slot from its old one", () => {
    const world = new RandomLedger(3, DEPTH);
    for (let i = 0; i < 10; i++) {
      const { data, fee, narrow, wide } = openDraft(draftOf(closeBatch(world)));
      let root = data.oldRoot;
      for (const { oldRoot, newRoot } of [...narrow, ...wide]) {
        expect(oldRoot).toBe(root);
        root = newRoot;
      }
      const paid = { ...fee.leaf, balance: fee.leaf.balance + fee.totalWei };
      expect(rootFromPath(fee.id, hashLeaf(fee.leaf), fee.children)).toBe(root);
      expect(rootFromPath(fee.id, hashLeaf(paid), fee.children)).toBe(data.newRoot);
    }
  });

  it("refuses traces that no ledger made", () => {
    const closed = closeBatch(new RandomLedger(1, DEPTH));
    expect(() => draftOf({ ...closed, narrow: closed.narrow.map((trace) => ({ ...trace })) })).toThrow(
      RangeError,
    );
  });
});
