import { beforeAll, describe, expect, it } from "vitest";
import { replayBatch, type SourcedTrace } from "../batch/batch.ts";
import { decodeWire, encodeWire } from "../batch/batch-data.ts";
import { initPoseidon } from "../field/poseidon.ts";
import { encodeAmount } from "../ledger/amount-float.ts";
import { KIND } from "../protocol.ts";
import { OPEN, RandomLedger, signFor } from "../testing/random-ledger.ts";
import { tableTerms, unbalanced } from "../testing/table-terms.ts";
import { mixTable } from "../testing/table-world.ts";
import { closedDraftOf, closedInputs, openClosedDraft, TableBuilder } from "./table-builder.ts";
import { WideLeaves } from "./table-order.ts";
import { postedShape } from "./table-shape.ts";

beforeAll(initPoseidon);

const DEPTH = 4;
const SHAPE = { transfers: 6, members: 6, wide: 8, rows: 12, units: 4, low: 1, top: 2 };

describe("the order of a batch", () => {
  it("gives the same root as the order of arrival, whatever kinds are mixed", () => {
    const seen = { late: 0, heldBack: 0, gaps: 0, kinds: new Set<number>() };
    for (let seed = 1; seed <= 8; seed++) {
      const world = new RandomLedger(seed, DEPTH);
      const fullNode = new RandomLedger(seed, DEPTH).ledger;
      for (let batch = 0; batch < 6; batch++) {
        const { closed, heldBackCount, lateCount, settlements } = mixTable(world, SHAPE, 24);
        const { data, wide } = closed.batch;
        const decoded = decodeWire(encodeWire(data), data.shape, data);
        expect(decoded).toEqual(data);
        // The posted root is that of the order of arrival; replay takes the sections one after the other.
        replayBatch(fullNode, decoded, settlements);
        expect(fullNode.root).toBe(world.ledger.root);
        expect(unbalanced(tableTerms(closed.layout, data.feePerUnitWei))).toEqual([]);
        let root = closed.layout.midRoot;
        for (const trace of wide.slice(0, data.wide.length)) {
          expect(trace.oldRoot).toBe(root);
          root = trace.newRoot;
        }
        seen.late += lateCount;
        seen.heldBack += heldBackCount;
        seen.gaps += data.narrow.slice(0, -1).filter(({ kind }) => kind === KIND.null).length;
        for (const { kind } of data.wide) seen.kinds.add(kind);
      }
    }
    expect(seen.late).toBeGreaterThan(20);
    expect(seen.heldBack).toBeGreaterThan(5);
    expect(seen.gaps).toBeGreaterThan(1);
    expect(seen.kinds.size).toBeGreaterThan(20);
  });

  it("is what the prover gets, from a draft that was kept", () => {
    const { closed, lateCount } = mixTable(new RandomLedger(3, DEPTH), SHAPE, 24);
    expect(lateCount).toBeGreaterThan(0);
    const opened = openClosedDraft(structuredClone(closedDraftOf(closed)));
    expect(closedInputs(opened, 5n, DEPTH)).toEqual(closedInputs(closed, 5n, DEPTH));
  });

  it("is laid out alike where the flat base has the leaves, also with nothing in the table", () => {
    for (const count of [0, 1, 24]) {
      const [world, folded] = [new RandomLedger(4, DEPTH), new RandomLedger(4, DEPTH)];
      folded.ledger.foldAll();
      const [closed, other] = [mixTable(world, SHAPE, count), mixTable(folded, SHAPE, count)];
      expect(closedInputs(other.closed, 5n, DEPTH)).toEqual(closedInputs(closed.closed, 5n, DEPTH));
    }
  });

  it("says of each operation where it stands", () => {
    const world = new RandomLedger(5, DEPTH);
    const builder = new TableBuilder(world.ledger, world.opening(postedShape(SHAPE)));
    const placed: SourcedTrace[] = [];
    for (let i = 0; i < 60; i++) {
      const operation = world.operation(i > 30);
      try {
        if (builder.hasRoomFor(operation)) placed.push(builder.add(operation));
      } catch (error) {
        expect(error).toMatchObject({ code: expect.stringMatching(/^OP_/) });
      }
    }
    const { narrow, wide } = builder.close().batch.data;
    expect(placed.length).toBe(narrow.filter(({ kind }) => kind !== KIND.null).length + wide.length);
    expect(narrow[0]!.kind).toBe(KIND.transfer);
    expect(narrow.at(-1)!.kind).not.toBe(KIND.transfer);
    const firstWide = SHAPE.transfers + SHAPE.members;
    for (const { slot, trace } of placed) expect(narrow[slot] ?? wide[slot - firstWide]).toBe(trace.record);
    expect(wide.length).toBeGreaterThan(0);
  });

  it("Attack: what spends after a wide slot emptied the leaf stays behind it", () => {
    const world = new RandomLedger(1, DEPTH);
    const [ann, ben, cat] = world.accounts as [(typeof world.accounts)[0], (typeof world.accounts)[0], never];
    const builder = new TableBuilder(world.ledger, world.opening(postedShape(SHAPE)));
    const pay = (a: typeof ann, b: typeof ann) =>
      builder.add(
        signFor(world.ledger, a.secret, {
          kind: KIND.transfer,
          a: a.id,
          b: b.id,
          amountCode: encodeAmount(OPEN / 1000n),
        }),
      ).slot;
    const withdrawal = { kind: KIND.withdraw, a: ann.id, words: [99n, 1n] };
    expect(pay(ann, ben)).toBe(0);
    expect(builder.add(signFor(world.ledger, ann.secret, withdrawal)).slot).toBe(12);
    // ann is named by the withdrawal; ben and cat are not, until ann's next transfer to ben is in a wide slot.
    expect(pay(ben, cat)).toBe(1);
    expect(pay(ann, ben)).toBe(13);
    expect(pay(cat, ann)).toBe(14);
    expect(pay(ben, cat)).toBe(15);
  });

  it("counts leaf 0 as named where A or B is unused", () => {
    const leaves = new WideLeaves();
    leaves.add({ a: 0, b: 7 });
    expect(leaves.commutesWith({ a: 5, b: 6 })).toBe(true);
    for (const names of [
      { a: 0, b: 6 },
      { a: 7, b: 6 },
      { a: 5, b: 7 },
    ])
      expect(leaves.commutesWith(names)).toBe(false);
  });
});
